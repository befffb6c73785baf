import Box from "@mui/material/Box";
import Button from "@mui/material/Button";
import Stack from "@mui/material/Stack";
import TextField from "@mui/material/TextField";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { type SubmitEvent, useState } from "react";

import { answer, api } from "../../api/client";
import { ErrorState } from "../../elements/ErrorState";
import { notify } from "../../elements/notices";
import { Section } from "../../elements/Section";
import { ALL_OF_PROVIDER, type Signal } from "../queries";

/** Title and description. */
export function TextForm({ signal }: { signal: Signal }) {
  const queries = useQueryClient();
  const [title, setTitle] = useState(signal.title);
  const [description, setDescription] = useState(signal.description);
  const saving = useMutation({
    mutationFn: () =>
      answer(
        api.PATCH("/v1/signals/{provider}/{name}", {
          params: { path: { provider: signal.provider, name: signal.name } },
          body: { title, description },
        }),
      ),
    onSuccess: () => notify("Saved"),
    onSettled: () => queries.invalidateQueries({ queryKey: ALL_OF_PROVIDER }),
  });
  const isChanged = title !== signal.title || description !== signal.description;
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    if (isChanged && title !== "") saving.mutate();
  };
  return (
    <Section
      title="Title and description"
      lead="Until the next version brings its manifest's: write them there too."
    >
      <Box component="form" noValidate onSubmit={submit} sx={{ maxWidth: 620, pt: 1 }}>
        <Stack spacing={2}>
          <TextField
            label="Title"
            value={title}
            onChange={(event) => setTitle(event.target.value)}
            error={title === ""}
            helperText="1 to 80 characters"
            slotProps={{ htmlInput: { maxLength: 80 } }}
          />
          <TextField
            label="Description"
            multiline
            minRows={3}
            value={description}
            onChange={(event) => setDescription(event.target.value)}
            slotProps={{ htmlInput: { maxLength: 4000 } }}
          />
          {saving.error !== null && <ErrorState error={saving.error} />}
          <div>
            <Button
              type="submit"
              variant="contained"
              disabled={!isChanged || title === ""}
              loading={saving.isPending}
            >
              Save
            </Button>
          </div>
        </Stack>
      </Box>
    </Section>
  );
}
