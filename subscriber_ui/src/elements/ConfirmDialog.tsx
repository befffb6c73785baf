import Button, { type ButtonProps } from "@mui/material/Button";
import Dialog from "@mui/material/Dialog";
import DialogActions from "@mui/material/DialogActions";
import DialogContent from "@mui/material/DialogContent";
import DialogTitle from "@mui/material/DialogTitle";
import Stack from "@mui/material/Stack";
import { type ReactNode, useId } from "react";

import { Refusal } from "./Refusal";

interface Props {
  open: boolean;
  title: string;
  /** What happens, and what does not. */
  children: ReactNode;
  /** The verb on the button that does it. */
  confirm: string;
  color?: ButtonProps["color"];
  busy?: boolean;
  disabled?: boolean;
  error?: unknown;
  /** Fields inside that show their own faults. */
  fields?: string[];
  onConfirm: () => void;
  onClose: () => void;
}

/** Asks once more before something that matters. */
export function ConfirmDialog(props: Props) {
  const id = useId();
  const { open, title, children, confirm, color = "primary", busy = false } = props;
  return (
    <Dialog open={open} onClose={props.onClose} aria-labelledby={id} fullWidth maxWidth="xs">
      <form
        onSubmit={(event) => {
          event.preventDefault();
          props.onConfirm();
        }}
      >
        <DialogTitle id={id}>{title}</DialogTitle>
        <DialogContent>
          <Stack spacing={2} sx={{ pt: 1 }}>
            {children}
            <Refusal error={props.error} fields={props.fields} />
          </Stack>
        </DialogContent>
        <DialogActions sx={{ px: 3, pb: 2 }}>
          <Button color="inherit" onClick={props.onClose}>
            Back
          </Button>
          <Button
            type="submit"
            variant="contained"
            color={color}
            loading={busy}
            disabled={props.disabled}
          >
            {confirm}
          </Button>
        </DialogActions>
      </form>
    </Dialog>
  );
}
