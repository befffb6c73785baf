import Button from "@mui/material/Button";
import Dialog from "@mui/material/Dialog";
import DialogActions from "@mui/material/DialogActions";
import DialogContent from "@mui/material/DialogContent";
import DialogContentText from "@mui/material/DialogContentText";
import DialogTitle from "@mui/material/DialogTitle";
import { type ReactNode, useId } from "react";

import { ErrorState } from "../elements/ErrorState";

interface Props {
  isOpen: boolean;
  title: string;
  /** What will happen, and that it stays. */
  children: ReactNode;
  /** The verb on the button that does it. */
  act: string;
  isBusy: boolean;
  error: Error | null;
  onConfirm: () => void;
  onClose: () => void;
}

/** Asks once more before money moves; says there what the API refused. */
export function ConfirmDialog({
  isOpen,
  title,
  children,
  act,
  isBusy,
  error,
  onConfirm,
  onClose,
}: Props) {
  const id = useId();
  return (
    <Dialog open={isOpen} onClose={isBusy ? undefined : onClose} aria-labelledby={id}>
      <DialogTitle id={id}>{title}</DialogTitle>
      <DialogContent>
        <DialogContentText component="div" sx={{ mb: error === null ? 0 : 2 }}>
          {children}
        </DialogContentText>
        {error !== null && <ErrorState error={error} />}
      </DialogContent>
      <DialogActions>
        <Button onClick={onClose} disabled={isBusy}>
          Back
        </Button>
        <Button variant="contained" onClick={onConfirm} loading={isBusy}>
          {act}
        </Button>
      </DialogActions>
    </Dialog>
  );
}
