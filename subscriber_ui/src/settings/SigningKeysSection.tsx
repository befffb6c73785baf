import Button from "@mui/material/Button";
import Typography from "@mui/material/Typography";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";

import { answer, api, type Schemas } from "../api/client";
import { Awaited } from "../elements/Awaited";
import { ConfirmDialog } from "../elements/ConfirmDialog";
import { type Column, DataTable } from "../elements/DataTable";
import { EmptyState } from "../elements/EmptyState";
import { Field } from "../elements/Field";
import { notify } from "../elements/notices";
import { Section } from "../elements/Section";
import { StateBadge } from "../elements/StateBadge";
import { Instant } from "../format/Instant";

type SigningKey = Schemas["SigningKey"];

const KEY = ["signing-keys"];

const COLUMNS: Column<SigningKey>[] = [
  { id: "name", header: "Name", value: (row) => row.name },
  {
    id: "fingerprint",
    header: "Fingerprint",
    value: (row) => row.fingerprint,
    cell: (row) => <code style={{ overflowWrap: "anywhere" }}>{row.fingerprint}</code>,
  },
  {
    id: "created_at",
    header: "Registered",
    value: (row) => row.created_at,
    cell: (row) => <Instant at={row.created_at} />,
    from: "sm",
  },
  {
    id: "acts",
    header: "Change",
    cell: (row) =>
      typeof row.revoked_at === "string" ? <StateBadge state="revoked" /> : <Revoke of={row} />,
  },
];

/** SSH keys that sign pushes; unsigned ones stay allowed. */
export function SigningKeysSection() {
  const keys = useQuery({
    queryKey: KEY,
    queryFn: async () => (await answer(api.GET("/v1/signing-keys"))).items,
  });
  return (
    <Section
      title="SSH signing keys"
      lead="For providers: a push signed by a registered key is recorded with it, one signed by any other is declined."
      actions={<Register />}
      flush
    >
      <Awaited query={keys}>
        {(rows) => (
          <DataTable
            caption="SSH signing keys"
            columns={COLUMNS}
            rows={rows}
            rowKey={(row) => row.id}
            empty={
              <EmptyState title="No signing key">
                Unsigned pushes stay allowed: an API key of scope push is enough.
              </EmptyState>
            }
          />
        )}
      </Awaited>
    </Section>
  );
}

function Register() {
  const [isOpen, setOpen] = useState(false);
  const [body, setBody] = useState({ name: "", public_key: "" });
  const client = useQueryClient();
  const register = useMutation({
    mutationFn: () => answer(api.POST("/v1/signing-keys", { body })),
    onSuccess: async () => {
      setOpen(false);
      setBody({ name: "", public_key: "" });
      await client.invalidateQueries({ queryKey: KEY });
    },
  });
  return (
    <>
      <Button variant="outlined" onClick={() => setOpen(true)}>
        Register signing key
      </Button>
      <ConfirmDialog
        open={isOpen}
        title="Register a signing key"
        confirm="Register"
        busy={register.isPending}
        error={register.error}
        fields={["name", "public_key"]}
        onConfirm={() => register.mutate()}
        onClose={() => setOpen(false)}
      >
        <Field
          name="name"
          label="Name"
          autoFocus
          required
          value={body.name}
          onChange={(event) => setBody({ ...body, name: event.target.value })}
          refused={register.error}
          slotProps={{ htmlInput: { maxLength: 80 } }}
        />
        <Field
          name="public_key"
          label="Public key"
          required
          multiline
          minRows={3}
          value={body.public_key}
          onChange={(event) => setBody({ ...body, public_key: event.target.value })}
          refused={register.error}
          helperText="The line of your .pub file: ssh-ed25519 AAAA..."
        />
      </ConfirmDialog>
    </>
  );
}

function Revoke({ of }: { of: SigningKey }) {
  const [isOpen, setOpen] = useState(false);
  const client = useQueryClient();
  const revoke = useMutation({
    mutationFn: () =>
      answer(
        api.DELETE("/v1/signing-keys/{signing_key_id}", {
          params: { path: { signing_key_id: of.id } },
        }),
      ),
    onSuccess: async () => {
      setOpen(false);
      notify(`${of.name} is revoked`);
      await client.invalidateQueries({ queryKey: KEY });
    },
  });
  return (
    <>
      <Button
        size="small"
        color="error"
        aria-label={`Revoke ${of.name}`}
        onClick={() => setOpen(true)}
      >
        Revoke
      </Button>
      <ConfirmDialog
        open={isOpen}
        title={`Revoke ${of.name}?`}
        confirm="Revoke"
        color="error"
        busy={revoke.isPending}
        error={revoke.error}
        onConfirm={() => revoke.mutate()}
        onClose={() => setOpen(false)}
      >
        <Typography>Pushes that it signs are refused from now on.</Typography>
      </ConfirmDialog>
    </>
  );
}
