import Button from "@mui/material/Button";
import TextField from "@mui/material/TextField";
import { useInfiniteQuery } from "@tanstack/react-query";
import { getRouteApi, useNavigate } from "@tanstack/react-router";

import { answer, api, type Schemas } from "../api/client";
import { Awaited, Lines } from "../elements/Awaited";
import { type Column, DataTable, rowsAsCsv } from "../elements/DataTable";
import { DownloadButton } from "../elements/DownloadButton";
import { EmptyState } from "../elements/EmptyState";
import { Absent } from "../elements/Figure";
import { Section } from "../elements/Section";
import { Instant } from "../format/Instant";

type Act = Schemas["Act"];

const route = getRouteApi("/settings/activity");

const COLUMNS: Column<Act>[] = [
  {
    id: "at",
    header: "When",
    value: (row) => row.at,
    cell: (row) => <Instant at={row.at} precise />,
  },
  {
    id: "action",
    header: "What",
    value: (row) => row.action,
    cell: (row) => <code>{row.action}</code>,
  },
  {
    id: "actor",
    header: "Who",
    value: (row) => row.actor,
    cell: (row) => row.actor ?? <Absent reason="The platform itself, or somebody not signed in." />,
    from: "sm",
  },
  {
    id: "subject",
    header: "On what",
    value: (row) => row.subject,
    cell: (row) => <span style={{ overflowWrap: "anywhere" }}>{row.subject}</span>,
  },
  {
    id: "detail",
    header: "Detail",
    value: (row) => detailOf(row),
    cell: (row) => <span style={{ overflowWrap: "anywhere" }}>{detailOf(row)}</span>,
    from: "md",
  },
];

/** What one did, and what was done to what is one's own. */
export function ActivityPage() {
  const { action = "" } = route.useSearch();
  const navigate = useNavigate();
  const acts = useInfiniteQuery({
    queryKey: ["audit", action],
    queryFn: ({ pageParam }) =>
      answer(
        api.GET("/v1/audit", {
          params: { query: { action: action === "" ? null : action, cursor: pageParam } },
        }),
      ),
    initialPageParam: null as string | null,
    getNextPageParam: (page) => page.next ?? undefined,
    placeholderData: (known) => known,
  });
  const rows = acts.data?.pages.flatMap((page) => page.items) ?? [];
  return (
    <Section
      title="What you did, and what was done to what is yours"
      flush
      actions={
        <DownloadButton file="signalbox-activity.csv" content={() => rowsAsCsv(COLUMNS, rows)} />
      }
    >
      <TextField
        label="Action"
        placeholder="session.begin"
        defaultValue={action}
        sx={{ mx: 2, mb: 1, maxWidth: 280 }}
        onBlur={(event) => search(event.target.value)}
        onKeyDown={(event) => {
          if (event.key === "Enter") search((event.target as HTMLInputElement).value);
        }}
      />
      <Awaited query={acts} skeleton={<Lines count={10} />}>
        {() => (
          <DataTable
            caption="Activity"
            columns={COLUMNS}
            rows={rows}
            rowKey={(row) => String(row.id)}
            empty={
              <EmptyState title="Nothing of the kind">
                Leave the action blank to see everything.
              </EmptyState>
            }
          />
        )}
      </Awaited>
      {acts.hasNextPage && (
        <Button
          fullWidth
          loading={acts.isFetchingNextPage}
          onClick={() => void acts.fetchNextPage()}
        >
          Show more
        </Button>
      )}
    </Section>
  );

  function search(wanted: string): void {
    const named = wanted.trim();
    void navigate({
      to: "/settings/activity",
      search: named === "" ? {} : { action: named },
      replace: true,
    });
  }
}

function detailOf({ detail }: Act): string {
  return Object.entries(detail as Record<string, unknown>)
    .map(([name, value]) => `${name}: ${typeof value === "string" ? value : JSON.stringify(value)}`)
    .join(", ");
}
