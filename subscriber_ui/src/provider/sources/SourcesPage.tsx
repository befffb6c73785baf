import Button from "@mui/material/Button";
import Box from "@mui/material/Box";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";

import { answer, api, type Schemas } from "../../api/client";
import { Awaited, Lines } from "../../elements/Awaited";
import { type Column, DataTable } from "../../elements/DataTable";
import { EmptyState } from "../../elements/EmptyState";
import { Absent } from "../../elements/Figure";
import { notify } from "../../elements/notices";
import { PageHead } from "../../elements/PageHead";
import { Section } from "../../elements/Section";
import { StateBadge } from "../../elements/StateBadge";
import { Instant } from "../../format/Instant";
import { ALL_OF_PROVIDER, dataSourceKeys } from "../queries";
import { Unseen } from "../Unseen";
import { NewSourceKey } from "./NewSourceKey";

type Key = Schemas["DataSourceKey"];

const COLUMNS: Column<Key>[] = [
  { id: "name", header: "Name", value: (row) => row.name },
  { id: "source", header: "Vendor", value: (row) => row.source },
  { id: "shown", header: "Key", cell: (row) => <code>{row.shown}</code> },
  {
    id: "state",
    header: "State",
    value: (row) => (row.revoked_at == null ? "active" : "revoked"),
    cell: (row) => <StateBadge state={row.revoked_at == null ? "active" : "revoked"} />,
    from: "sm",
  },
  {
    id: "created_at",
    header: "Stored",
    value: (row) => row.created_at,
    cell: (row) => <Instant at={row.created_at} />,
    from: "md",
  },
  {
    id: "last_used_at",
    header: "Last used",
    value: (row) => row.last_used_at ?? null,
    cell: (row) =>
      row.last_used_at == null ? (
        <Absent reason="It was not used yet." />
      ) : (
        <Instant at={row.last_used_at} />
      ),
    from: "sm",
  },
  {
    id: "revoke",
    header: <Unseen>What may be done</Unseen>,
    cell: (row) => (row.revoked_at == null ? <Revoke name={row.name} id={row.id} /> : null),
  },
];

/** Keys of market data vendors that a provider entrusts to the platform. */
export function SourcesPage() {
  const keys = useQuery(dataSourceKeys());
  return (
    <>
      <PageHead
        title="Data sources"
        lead="Keys of market data vendors. They are sealed: this site cannot open them again, only the workers that fetch bars can, and every use is in your activity."
      />
      <Section title="Stored keys" flush>
        <Awaited
          query={keys}
          skeleton={
            <Box sx={{ px: 2 }}>
              <Lines count={3} />
            </Box>
          }
        >
          {({ items }) => (
            <DataTable
              caption="Data-source keys"
              columns={COLUMNS}
              rows={items}
              rowKey={(row) => row.id}
              empty={
                <EmptyState title="You stored no key">
                  Signals on the platform&apos;s own symbols need none.
                </EmptyState>
              }
            />
          )}
        </Awaited>
      </Section>
      <NewSourceKey />
    </>
  );
}

function Revoke({ id, name }: { id: string; name: string }) {
  const queries = useQueryClient();
  const revoking = useMutation({
    mutationFn: () =>
      answer(
        api.DELETE("/v1/data-source-keys/{data_source_key_id}", {
          params: { path: { data_source_key_id: id } },
        }),
      ),
    onSuccess: () => notify(`${name} is revoked`),
    onError: (error) => notify(error.message, "error"),
    onSettled: () => queries.invalidateQueries({ queryKey: ALL_OF_PROVIDER }),
  });
  return (
    <Button
      size="small"
      color="error"
      aria-label={`Revoke ${name}`}
      loading={revoking.isPending}
      onClick={() => revoking.mutate()}
    >
      Revoke
    </Button>
  );
}
