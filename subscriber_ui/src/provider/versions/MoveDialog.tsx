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
import { ALL_OF_PROVIDER, type Path, type Version } from "../queries";
import { type Move, MOVES } from "./moves";

interface Props {
  path: Path;
  version: Version;
  move: Move;
  onClose: () => void;
}

/** Says what a move means for subscribers before it is made. */
export function MoveDialog({ path, version, move, onClose }: Props) {
  const title = useId();
  const [why, setWhy] = useState("");
  const [written, setWritten] = useState("");
  const queries = useQueryClient();
  const meaning = MOVES[move];
  const moving = useMutation({
    mutationFn: () => moved(path, version.version, move, why),
    onSuccess: () => {
      notify(`${version.version} ${meaning.done}`);
      onClose();
    },
    onSettled: () => queries.invalidateQueries({ queryKey: ALL_OF_PROVIDER }),
  });
  const isConfirmed = !meaning.isFinal || written === version.version;
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    if (isConfirmed) moving.mutate();
  };
  return (
    <Dialog open onClose={onClose} aria-labelledby={title} maxWidth="sm" fullWidth>
      <form onSubmit={submit}>
        <DialogTitle id={title}>{meaning.title(version.version)}</DialogTitle>
        <DialogContent>
          <Typography component="ul" sx={{ pl: 2.5, mt: 0, "& li": { mb: 0.75 } }}>
            {meaning.consequences.map((each) => (
              <li key={each}>{each}</li>
            ))}
          </Typography>
          <TextField
            label="Reason"
            helperText="Optional. Kept in the version's events, for you and the operator."
            value={why}
            onChange={(event) => setWhy(event.target.value)}
            slotProps={{ htmlInput: { maxLength: 500 } }}
            margin="dense"
          />
          {meaning.isFinal && (
            <TextField
              label={`Write ${version.version} to confirm`}
              value={written}
              onChange={(event) => setWritten(event.target.value.trim())}
              autoComplete="off"
              margin="dense"
            />
          )}
          {moving.error !== null && <ErrorState error={moving.error} />}
        </DialogContent>
        <DialogActions sx={{ px: 3, pb: 2 }}>
          <Button onClick={onClose}>Cancel</Button>
          <Button
            type="submit"
            variant="contained"
            color={meaning.isFinal ? "error" : "primary"}
            loading={moving.isPending}
            disabled={!isConfirmed}
          >
            {meaning.label}
          </Button>
        </DialogActions>
      </form>
    </Dialog>
  );
}

function moved(path: Path, version: string, move: Move, why: string): Promise<Version> {
  const request = { params: { path: { ...path, version } }, body: { why } };
  if (move === "offline") {
    return answer(api.POST("/v1/signals/{provider}/{name}/versions/{version}/offline", request));
  }
  if (move === "live") {
    return answer(api.POST("/v1/signals/{provider}/{name}/versions/{version}/live", request));
  }
  return answer(api.POST("/v1/signals/{provider}/{name}/versions/{version}/retire", request));
}
