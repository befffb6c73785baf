import Button from "@mui/material/Button";
import Dialog from "@mui/material/Dialog";
import DialogActions from "@mui/material/DialogActions";
import DialogContent from "@mui/material/DialogContent";
import DialogTitle from "@mui/material/DialogTitle";
import TextField from "@mui/material/TextField";
import Typography from "@mui/material/Typography";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { type SubmitEvent, useId, useState } from "react";

import { answer, api } from "../../api/client";
import { ErrorState } from "../../elements/ErrorState";
import { notify } from "../../elements/notices";
import { Section } from "../../elements/Section";
import { ALL_OF_PROVIDER, type Signal } from "../queries";

/** Ends the signal: every version retired, unlisted, nothing erased. */
export function DeleteSignal({ signal }: { signal: Signal }) {
  const [isAsked, setAsked] = useState(false);
  return (
    <Section
      title="Retire the whole signal"
      lead="Every version is retired for good and the signal is unlisted. Nothing is erased: its record stays."
      actions={
        <Button color="error" variant="outlined" onClick={() => setAsked(true)}>
          Retire signal
        </Button>
      }
    >
      {isAsked && <Confirm signal={signal} onClose={() => setAsked(false)} />}
    </Section>
  );
}

function Confirm({ signal, onClose }: { signal: Signal; onClose: () => void }) {
  const title = useId();
  const queries = useQueryClient();
  const [written, setWritten] = useState("");
  const ending = useMutation({
    mutationFn: () =>
      answer(
        api.DELETE("/v1/signals/{provider}/{name}", {
          params: { path: { provider: signal.provider, name: signal.name } },
        }),
      ),
    onSuccess: () => {
      notify(`${signal.signal} is retired`);
      onClose();
    },
    onSettled: () => queries.invalidateQueries({ queryKey: ALL_OF_PROVIDER }),
  });
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    if (written === signal.name) ending.mutate();
  };
  return (
    <Dialog open onClose={onClose} aria-labelledby={title} maxWidth="sm" fullWidth>
      <form onSubmit={submit}>
        <DialogTitle id={title}>Retire {signal.signal} for good</DialogTitle>
        <DialogContent>
          <Typography component="ul" sx={{ pl: 2.5, mt: 0, "& li": { mb: 0.75 } }}>
            <li>No version of it ever runs again, and nobody can bring one back.</li>
            <li>
              Subscribers get no forecasts, and are credited for the hours they paid for, at your
              cost.
            </li>
            <li>Its name stays used, and its record stays as it is.</li>
          </Typography>
          <TextField
            label={`Write ${signal.name} to confirm`}
            value={written}
            onChange={(event) => setWritten(event.target.value.trim())}
            autoComplete="off"
            margin="dense"
          />
          {ending.error !== null && <ErrorState error={ending.error} />}
        </DialogContent>
        <DialogActions sx={{ px: 3, pb: 2 }}>
          <Button onClick={onClose}>Cancel</Button>
          <Button
            type="submit"
            color="error"
            variant="contained"
            disabled={written !== signal.name}
            loading={ending.isPending}
          >
            Retire
          </Button>
        </DialogActions>
      </form>
    </Dialog>
  );
}
