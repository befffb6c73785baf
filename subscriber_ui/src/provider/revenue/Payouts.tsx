import Box from "@mui/material/Box";
import { useQuery } from "@tanstack/react-query";

import type { Schemas } from "../../api/client";
import { Awaited, Lines } from "../../elements/Awaited";
import { type Column, DataTable, rowsAsCsv } from "../../elements/DataTable";
import { DownloadButton } from "../../elements/DownloadButton";
import { EmptyState } from "../../elements/EmptyState";
import { Section } from "../../elements/Section";
import { Instant } from "../../format/Instant";
import { money } from "../../format/numbers";
import { payouts } from "../queries";

type Payout = Schemas["Payout"];

const CARRIED = {
  below_minimum: "carried over: below the minimum",
  negative: "carried over: below zero",
} as const;

const COLUMNS: Column<Payout>[] = [
  { id: "month", header: "Month", value: (row) => row.month.slice(0, 7) },
  {
    id: "balance_minor",
    header: "Balance",
    value: (row) => row.balance_minor,
    cell: (row) => money(row.balance_minor, row.currency),
    numeric: true,
  },
  {
    id: "amount_minor",
    header: "Paid",
    value: (row) => row.amount_minor,
    cell: (row) => money(row.amount_minor, row.currency),
    numeric: true,
  },
  {
    id: "carried",
    header: "Outcome",
    value: (row) => row.carried ?? "paid",
    cell: (row) => (row.carried === null ? "paid" : CARRIED[row.carried]),
  },
  {
    id: "settled_at",
    header: "Settled",
    value: (row) => row.settled_at,
    cell: (row) => <Instant at={row.settled_at} />,
    from: "sm",
  },
];

/** Months that were settled, newest first. */
export function Payouts() {
  const all = useQuery(payouts());
  return (
    <Section
      title="Payouts"
      lead="A month is settled once, when it is over. Small balances are carried to the next."
      flush
      actions={
        <DownloadButton
          file="payouts.csv"
          content={() => rowsAsCsv(COLUMNS, all.data?.items ?? [])}
        />
      }
    >
      <Awaited
        query={all}
        skeleton={
          <Box sx={{ px: 2 }}>
            <Lines count={3} />
          </Box>
        }
      >
        {({ items }) => (
          <DataTable
            caption="Payouts"
            columns={COLUMNS}
            rows={items}
            rowKey={(row) => `${row.month} ${row.currency}`}
            empty={
              <EmptyState title="No month was settled yet">
                The operator settles a month when it has ended.
              </EmptyState>
            }
          />
        )}
      </Awaited>
    </Section>
  );
}
