import Button from "@mui/material/Button";
import Checkbox from "@mui/material/Checkbox";
import FormControlLabel from "@mui/material/FormControlLabel";
import FormGroup from "@mui/material/FormGroup";
import MenuItem from "@mui/material/MenuItem";
import TextField from "@mui/material/TextField";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";

import { answer, api, type Schemas } from "../api/client";
import { ConfirmDialog } from "../elements/ConfirmDialog";
import { Field } from "../elements/Field";
import { API_KEYS } from "./ApiKeys";
import { SecretDialog } from "./SecretDialog";

type Scope = Schemas["NewApiKey"]["scopes"][number];

const SCOPES: [Scope, string][] = [
  ["read", "read: forecasts, bars, subscriptions, invoices, the stream"],
  ["push", "push: publish versions of your own signals by git"],
];
const DAYS = [30, 90, 365];
const NEVER = 0;

export function CreateApiKey() {
  const [isOpen, setOpen] = useState(false);
  const [name, setName] = useState("");
  const [scopes, setScopes] = useState<Scope[]>(["read"]);
  const [days, setDays] = useState(90);
  const client = useQueryClient();
  const create = useMutation({
    mutationFn: () =>
      answer(
        api.POST("/v1/api-keys", {
          body: { name, scopes, expires_in_days: days === NEVER ? null : days },
        }),
      ),
    onSuccess: async () => {
      setOpen(false);
      setName("");
      await client.invalidateQueries({ queryKey: API_KEYS });
    },
  });
  const toggle = (scope: Scope, isOn: boolean) =>
    setScopes(isOn ? [...scopes, scope] : scopes.filter((each) => each !== scope));
  return (
    <>
      <Button variant="contained" onClick={() => setOpen(true)}>
        Create API key
      </Button>
      <ConfirmDialog
        open={isOpen}
        title="New API key"
        confirm="Create"
        busy={create.isPending}
        disabled={scopes.length === 0}
        error={create.error}
        fields={["name"]}
        onConfirm={() => create.mutate()}
        onClose={() => setOpen(false)}
      >
        <Field
          name="name"
          label="Name"
          autoFocus
          required
          value={name}
          onChange={(event) => setName(event.target.value)}
          refused={create.error}
          helperText="By which you know the program that uses it"
          slotProps={{ htmlInput: { maxLength: 80 } }}
        />
        <FormGroup>
          {SCOPES.map(([scope, label]) => (
            <FormControlLabel
              key={scope}
              control={
                <Checkbox
                  checked={scopes.includes(scope)}
                  onChange={(event) => toggle(scope, event.target.checked)}
                />
              }
              label={label}
            />
          ))}
        </FormGroup>
        <TextField
          select
          label="Expires"
          value={days}
          onChange={(event) => setDays(Number(event.target.value))}
        >
          {DAYS.map((each) => (
            <MenuItem key={each} value={each}>
              in {each} days
            </MenuItem>
          ))}
          <MenuItem value={NEVER}>never</MenuItem>
        </TextField>
      </ConfirmDialog>
      {create.data !== undefined && (
        <SecretDialog
          title={`API key ${create.data.name}`}
          name="API key"
          secret={create.data.key}
          onClose={() => create.reset()}
        />
      )}
    </>
  );
}
