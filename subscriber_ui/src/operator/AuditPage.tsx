import Box from "@mui/material/Box";
import Stack from "@mui/material/Stack";
import { useInfiniteQuery } from "@tanstack/react-query";
import { useNavigate, useSearch } from "@tanstack/react-router";

import { answer, api, type Schemas } from "../api/client";
import { type Column, DataTable, rowsAsCsv } from "../elements/DataTable";
import { DownloadButton } from "../elements/DownloadButton";
import { EmptyState } from "../elements/EmptyState";
import { PageHead } from "../elements/PageHead";
import { Section } from "../elements/Section";
import { Instant } from "../format/Instant";
import { FilterField } from "./FilterField";
import { Paged } from "./Paged";
import { type AuditSearch, endOf, startOf } from "./search";

type Act = Schemas["Act"];

const COLUMNS: Column<Act>[] = [
  {
    id: "at",
    header: "At",
    value: (act) => act.at,
    cell: (act) => <Instant at={act.at} precise />,
  },
  {
    id: "actor",
    header: "Who",
    value: (act) => act.actor,
    cell: (act) => act.actor ?? <em>the platform</em>,
  },
  {
    id: "action",
    header: "Act",
    value: (act) => act.action,
    cell: (act) => <code>{act.action}</code>,
  },
  {
    id: "subject",
    header: "What",
    value: (act) => act.subject,
    cell: (act) => <Box sx={{ overflowWrap: "anywhere", minWidth: 120 }}>{act.subject}</Box>,
  },
  {
    id: "detail",
    header: "Detail",
    value: inWords,
    cell: (act) => <Box sx={{ overflowWrap: "anywhere", minWidth: 120 }}>{inWords(act)}</Box>,
    from: "md",
  },
];

/** Every act on record, newest first. */
export function AuditPage() {
  const search = useSearch({ from: "/operator/audit" });
  const acts = useActs(search);
  const shown = acts.data?.pages.flatMap((page) => page.items) ?? [];
  return (
    <>
      <PageHead
        title="Audit log"
        lead="Who did what to what, newest first. Nothing in it can be changed."
      />
      <Filters search={search} />
      <Section
        title="Acts"
        flush
        actions={
          shown.length > 0 && (
            <DownloadButton file="audit.csv" content={() => rowsAsCsv(COLUMNS, shown)} />
          )
        }
      >
        <Paged query={acts}>
          {(items) => (
            <DataTable
              caption="Audit log"
              columns={COLUMNS}
              rows={items}
              rowKey={(act) => String(act.id)}
              empty={
                <EmptyState title="No act fits these filters">
                  Who and What have to be exact; an act may be named by its noun, such as api_key.
                </EmptyState>
              }
            />
          )}
        </Paged>
      </Section>
    </>
  );
}

function Filters({ search }: { search: AuditSearch }) {
  const navigate = useNavigate({ from: "/operator/audit" });
  const change = (part: AuditSearch) =>
    void navigate({ search: (before) => ({ ...before, ...part }), replace: true });
  return (
    <Stack direction="row" useFlexGap spacing={1.5} sx={{ flexWrap: "wrap", mb: 2 }}>
      <FilterField
        label="Who"
        placeholder="A handle"
        value={search.actor}
        onChange={(actor) => change({ actor })}
      />
      <FilterField
        label="Act"
        placeholder="api_key.revoke, or api_key"
        value={search.action}
        onChange={(action) => change({ action })}
        width={220}
      />
      <FilterField
        label="What"
        placeholder="Exactly"
        value={search.subject}
        onChange={(subject) => change({ subject })}
      />
      <FilterField
        label="From day (UTC)"
        type="date"
        value={search.from}
        onChange={(from) => change({ from })}
      />
      <FilterField
        label="To day (UTC)"
        type="date"
        value={search.to}
        onChange={(to) => change({ to })}
      />
    </Stack>
  );
}

function useActs({ actor, action, subject, from, to }: AuditSearch) {
  return useInfiniteQuery({
    queryKey: ["operator", "audit", { actor, action, subject, from, to }],
    queryFn: ({ pageParam }) =>
      answer(
        api.GET("/v1/admin/audit", {
          params: {
            query: {
              actor,
              action,
              subject,
              from: startOf(from),
              to: endOf(to),
              cursor: pageParam,
            },
          },
        }),
      ),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (page) => page.next ?? undefined,
  });
}

function inWords(act: Act): string {
  return Object.entries(act.detail)
    .map(([name, value]) => `${name}: ${typeof value === "string" ? value : JSON.stringify(value)}`)
    .join(", ");
}
