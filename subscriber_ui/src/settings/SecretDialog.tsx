import Alert from "@mui/material/Alert";
import Button from "@mui/material/Button";
import Dialog from "@mui/material/Dialog";
import DialogActions from "@mui/material/DialogActions";
import DialogContent from "@mui/material/DialogContent";
import DialogTitle from "@mui/material/DialogTitle";
import Stack from "@mui/material/Stack";
import { type ReactNode, useId } from "react";

import { CopyField } from "../elements/CopyField";

interface Props {
  title: string;
  /** What the secret is, for its copy button. */
  name: string;
  secret: string;
  /** What to do with it. */
  children?: ReactNode;
  onClose: () => void;
}

/** A secret that is shown this once: it closes by its button alone. */
export function SecretDialog({ title, name, secret, children, onClose }: Props) {
  const id = useId();
  return (
    <Dialog open aria-labelledby={id} fullWidth maxWidth="sm">
      <DialogTitle id={id}>{title}</DialogTitle>
      <DialogContent>
        <Stack spacing={2}>
          <Alert severity="warning">Copy it now: it is not shown again.</Alert>
          <CopyField name={name} text={secret} />
          {children}
        </Stack>
      </DialogContent>
      <DialogActions sx={{ px: 3, pb: 2 }}>
        <Button variant="contained" onClick={onClose}>
          I have kept it
        </Button>
      </DialogActions>
    </Dialog>
  );
}
