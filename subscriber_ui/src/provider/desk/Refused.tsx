import Alert from "@mui/material/Alert";
import Box from "@mui/material/Box";

import { RouterButton } from "../../elements/RouterLink";
import type { OwnSignal } from "../queries";

/** The last push of a signal, where it was refused: what to mend. */
export function Refused({ signal }: { signal: OwnSignal }) {
  const push = signal.last_push;
  if (push?.state !== "rejected") return null;
  return (
    <Alert
      severity="warning"
      variant="outlined"
      sx={{ mb: 2 }}
      action={
        <RouterButton
          to="/provider/signals/$name"
          params={{ name: signal.name }}
          search={{ version: push.version }}
          color="inherit"
          size="small"
        >
          What to do
        </RouterButton>
      }
    >
      <strong>
        {signal.signal} {push.version} was not published.
      </strong>
      <Box sx={{ overflowWrap: "anywhere" }}>{push.why?.split("\n", 1)[0]}</Box>
    </Alert>
  );
}
