import Alert from "@mui/material/Alert";
import Snackbar from "@mui/material/Snackbar";

import { dismissNotice, useNotice } from "../elements/notices";

const SHOWN_MS = 5_000;

export function Notices() {
  const notice = useNotice();
  return (
    <Snackbar
      key={notice?.key}
      open={notice !== null}
      autoHideDuration={SHOWN_MS}
      onClose={(_, reason) => {
        if (reason !== "clickaway") dismissNotice();
      }}
    >
      <Alert severity={notice?.severity ?? "info"} variant="standard" onClose={dismissNotice}>
        {notice?.text}
      </Alert>
    </Snackbar>
  );
}
