import Button from "@mui/material/Button";
import { useInfiniteQuery } from "@tanstack/react-query";

import { answer, api, type Schemas } from "../api/client";
import { Awaited, Lines } from "../elements/Awaited";
import { type Column, DataTable, rowsAsCsv } from "../elements/DataTable";
import { DownloadButton } from "../elements/DownloadButton";
import { EmptyState } from "../elements/EmptyState";
import { PageHead } from "../elements/PageHead";
import { RouterButton, RouterLink } from "../elements/RouterLink";
import { Section } from "../elements/Section";
import { Instant } from "../format/Instant";
import { money } from "../format/numbers";
import { Period } from "./Period";

type Invoice = Schemas["Invoice"];

const COLUMNS: Column<Invoice>[] = [
  {
    id: "number",
    header: "Number",
    value: (row) => row.number,
    cell: (row) => (
      <RouterLink to="/invoices/$number" params={{ number: row.number }}>
        {row.number}
      </RouterLink>
    ),
  },
  { id: "signal", header: "Signal", value: (row) => row.signal },
  {
    id: "issued_at",
    header: "Issued",
    value: (row) => row.issued_at,
    cell: (row) => <Instant at={row.issued_at} />,
    from: "md",
  },
  {
    id: "period_start",
    header: "Period",
    value: (row) => row.period_start,
    cell: (row) => <Period of={row} />,
  },
  {
    id: "amount_minor",
    header: "Amount",
    numeric: true,
    value: (row) => row.amount_minor,
    cell: (row) => money(row.amount_minor, row.currency),
  },
  {
    id: "credit_minor",
    header: "Credit",
    numeric: true,
    value: (row) => row.credit_minor,
    cell: (row) => money(row.credit_minor, row.currency),
    from: "md",
  },
  {
    id: "refunded_minor",
    header: "Refunded",
    numeric: true,
    value: (row) => row.refunded_minor,
    cell: (row) => money(row.refunded_minor, row.currency),
    from: "md",
  },
];

export function InvoicesPage() {
  const invoices = useInfiniteQuery({
    queryKey: ["invoices"],
    queryFn: ({ pageParam }) =>
      answer(api.GET("/v1/invoices", { params: { query: { cursor: pageParam } } })),
    initialPageParam: null as string | null,
    getNextPageParam: (page) => page.next ?? undefined,
  });
  return (
    <>
      <PageHead
        title="Invoices"
        lead="Every payment of yours, in gapless numbers."
        actions={
          <RouterButton to="/subscriptions" variant="outlined">
            Subscriptions
          </RouterButton>
        }
      />
      <Awaited query={invoices} skeleton={<Lines count={6} />}>
        {({ pages }) => {
          const rows = pages.flatMap((page) => page.items);
          if (rows.length === 0) return <NoInvoices />;
          return (
            <Section
              title="All invoices"
              flush
              actions={
                <DownloadButton
                  file="signalbox-invoices.csv"
                  content={() => rowsAsCsv(COLUMNS, rows)}
                />
              }
            >
              <DataTable
                caption="Invoices"
                columns={COLUMNS}
                rows={rows}
                rowKey={(row) => row.number}
              />
              {invoices.hasNextPage && (
                <Button
                  fullWidth
                  loading={invoices.isFetchingNextPage}
                  onClick={() => void invoices.fetchNextPage()}
                >
                  Show more
                </Button>
              )}
            </Section>
          );
        }}
      </Awaited>
    </>
  );
}

function NoInvoices() {
  return (
    <EmptyState
      title="No invoice yet"
      action={<RouterButton to="/subscriptions">See your subscriptions</RouterButton>}
    >
      One is written each time you pay for a period. Trials have none.
    </EmptyState>
  );
}
