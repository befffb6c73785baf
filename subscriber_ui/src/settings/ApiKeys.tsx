import Button from "@mui/material/Button";
import Chip from "@mui/material/Chip";
import Stack from "@mui/material/Stack";
import Typography from "@mui/material/Typography";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";

import { answer, api, type Schemas } from "../api/client";
import { ConfirmDialog } from "../elements/ConfirmDialog";
import { type Column, DataTable } from "../elements/DataTable";
import { EmptyState } from "../elements/EmptyState";
import { Field } from "../elements/Field";
import { Absent } from "../elements/Figure";
import { notify } from "../elements/notices";
import { relative } from "../format/durations";
import { Instant } from "../format/Instant";

type ApiKey = Schemas["ApiKey"];

export const API_KEYS = ["api-keys"];

/** Whether a key is refused, and why. Credentials live by the world's clock, not a demonstration's. */
export function refusedBecause(key: ApiKey, worldNow: number): "revoked" | "expired" | null {
  if (typeof key.revoked_at === "string") return "revoked";
  if (typeof key.expires_at === "string" && Date.parse(key.expires_at) <= worldNow) {
    return "expired";
  }
  return null;
}

const columnsAt = (now: number): Column<ApiKey>[] => [
  {
    id: "name",
    header: "Name",
    value: (row) => row.name,
    cell: (row) => (
      <>
        {row.name} <State why={refusedBecause(row, now)} />
      </>
    ),
  },
  {
    id: "prefix",
    header: "Begins with",
    value: (row) => row.prefix,
    cell: (row) => <code>{row.prefix}</code>,
    from: "sm",
  },
  { id: "scopes", header: "Scopes", value: (row) => row.scopes.join(", ") },
  {
    id: "last_used_at",
    header: "Last used",
    value: (row) => row.last_used_at ?? null,
    cell: (row) =>
      typeof row.last_used_at === "string" ? (
        <span style={{ whiteSpace: "nowrap" }}>{relative(row.last_used_at, now)}</span>
      ) : (
        <Absent reason="It was never used." />
      ),
  },
  {
    id: "expires_at",
    header: "Expires",
    value: (row) => row.expires_at ?? null,
    cell: (row) =>
      typeof row.expires_at === "string" ? (
        <Instant at={row.expires_at} />
      ) : (
        <Absent reason="It does not expire: revoke it when it is not needed." />
      ),
    from: "sm",
  },
  {
    id: "created_at",
    header: "Made",
    value: (row) => row.created_at,
    cell: (row) => <Instant at={row.created_at} />,
    from: "md",
  },
  {
    id: "acts",
    header: "Change",
    cell: (row) => (refusedBecause(row, now) === null ? <Acts of={row} /> : null),
  },
];

export function ApiKeys({ rows }: { rows: ApiKey[] }) {
  const [now] = useState(() => Date.now());
  const rank = (key: ApiKey) => (refusedBecause(key, now) === null ? 0 : 1);
  const inOrder = rows.toSorted(
    (a, b) => rank(a) - rank(b) || b.created_at.localeCompare(a.created_at),
  );
  return (
    <DataTable
      caption="API keys"
      columns={columnsAt(now)}
      rows={inOrder}
      rowKey={(row) => row.id}
      empty={
        <EmptyState title="No API key yet">
          Make one of scope read for a program that reads forecasts, one of scope push for one that
          publishes versions.
        </EmptyState>
      }
    />
  );
}

function State({ why }: { why: string | null }) {
  return why === null ? null : <Chip label={why} size="small" sx={{ height: 20 }} />;
}

function Acts({ of }: { of: ApiKey }) {
  return (
    <Stack direction="row">
      <Rename of={of} />
      <Revoke of={of} />
    </Stack>
  );
}

function Rename({ of }: { of: ApiKey }) {
  const [isOpen, setOpen] = useState(false);
  const [name, setName] = useState(of.name);
  const client = useQueryClient();
  const rename = useMutation({
    mutationFn: () =>
      answer(
        api.PATCH("/v1/api-keys/{key_id}", { params: { path: { key_id: of.id } }, body: { name } }),
      ),
    onSuccess: async () => {
      setOpen(false);
      await client.invalidateQueries({ queryKey: API_KEYS });
    },
  });
  return (
    <>
      <Button size="small" aria-label={`Rename ${of.name}`} onClick={() => setOpen(true)}>
        Rename
      </Button>
      <ConfirmDialog
        open={isOpen}
        title={`Rename ${of.name}`}
        confirm="Rename"
        busy={rename.isPending}
        error={rename.error}
        fields={["name"]}
        onConfirm={() => rename.mutate()}
        onClose={() => setOpen(false)}
      >
        <Field
          name="name"
          label="Name"
          autoFocus
          required
          value={name}
          onChange={(event) => setName(event.target.value)}
          refused={rename.error}
          slotProps={{ htmlInput: { maxLength: 80 } }}
        />
      </ConfirmDialog>
    </>
  );
}

function Revoke({ of }: { of: ApiKey }) {
  const [isOpen, setOpen] = useState(false);
  const client = useQueryClient();
  const revoke = useMutation({
    mutationFn: () =>
      answer(api.DELETE("/v1/api-keys/{key_id}", { params: { path: { key_id: of.id } } })),
    onSuccess: async () => {
      setOpen(false);
      notify(`${of.name} is revoked`);
      await client.invalidateQueries({ queryKey: API_KEYS });
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
        <Typography>
          Programs that use it are refused from now on. This cannot be taken back.
        </Typography>
      </ConfirmDialog>
    </>
  );
}
