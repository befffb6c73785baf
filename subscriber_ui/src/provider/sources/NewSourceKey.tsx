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
import { ALL_OF_PROVIDER } from "../queries";

const EMPTY = { name: "", source: "", key: "" };
const KEY_AT_LEAST = 16;

/** Seals a vendor's key; it is not shown again. */
export function NewSourceKey() {
  const queries = useQueryClient();
  const [fields, setFields] = useState(EMPTY);
  const set = (changed: Partial<typeof EMPTY>) =>
    setFields((before) => ({ ...before, ...changed }));
  const storing = useMutation({
    mutationFn: () => answer(api.POST("/v1/data-source-keys", { body: fields })),
    onSuccess: (made) => {
      notify(`${made.name} is stored`);
      setFields(EMPTY);
    },
    onSettled: () => queries.invalidateQueries({ queryKey: ALL_OF_PROVIDER }),
  });
  const isWhole = fields.name !== "" && fields.source !== "" && fields.key.length >= KEY_AT_LEAST;
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    if (isWhole) storing.mutate();
  };
  return (
    <Section title="Store a key" lead="Four characters at each end stay visible, nothing else.">
      <Box component="form" noValidate onSubmit={submit} sx={{ maxWidth: 560, pt: 1 }}>
        <Stack spacing={2}>
          <TextField
            label="Key's name"
            value={fields.name}
            onChange={(event) => set({ name: event.target.value })}
            slotProps={{ htmlInput: { maxLength: 80 } }}
          />
          <TextField
            label="Vendor"
            placeholder="alpaca"
            value={fields.source}
            onChange={(event) => set({ source: event.target.value })}
            helperText="Small letters, digits and -, such as alpaca"
            slotProps={{ htmlInput: { maxLength: 40, autoCapitalize: "none" } }}
          />
          <TextField
            label="Key"
            type="password"
            autoComplete="off"
            value={fields.key}
            onChange={(event) => set({ key: event.target.value })}
            helperText="16 characters or more"
            slotProps={{ htmlInput: { maxLength: 4096 } }}
          />
          {storing.error !== null && <ErrorState error={storing.error} />}
          <div>
            <Button
              type="submit"
              variant="contained"
              disabled={!isWhole}
              loading={storing.isPending}
            >
              Store key
            </Button>
          </div>
        </Stack>
      </Box>
    </Section>
  );
}
