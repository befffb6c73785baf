import Box from "@mui/material/Box";
import { useQuery } from "@tanstack/react-query";

import type { Schemas } from "../../api/client";
import { now as platformNow } from "../../api/clock";
import { Awaited, Lines } from "../../elements/Awaited";
import { type Column, DataTable, rowsAsCsv } from "../../elements/DataTable";
import { DownloadButton } from "../../elements/DownloadButton";
import { EmptyState } from "../../elements/EmptyState";
import { Section } from "../../elements/Section";
import { money } from "../../format/numbers";
import { useSession } from "../../session/session";
import { statements } from "../queries";
import { monthsUpTo } from "./months";

type Statement = Schemas["Statement"];
type Row = Schemas["StatementOfCurrency"] & { month: string; is_over: boolean };

const MONTHS = 12;

type Amount = Exclude<keyof Schemas["StatementOfCurrency"], "currency" | "invoices">;

function amount(id: Amount, header: string, from?: Column<Row>["from"]): Column<Row> {
  return {
    id,
    header,
    value: (row) => row[id],
    cell: (row) => money(row[id], row.currency),
    numeric: true,
    ...(from === undefined ? {} : { from }),
  };
}

const COLUMNS: Column<Row>[] = [
  {
    id: "month",
    header: "Month",
    value: (row) => row.month.slice(0, 7),
    cell: (row) => `${row.month.slice(0, 7)}${row.is_over ? "" : ", runs"}`,
  },
  { id: "currency", header: "Currency", value: (row) => row.currency, from: "sm" },
  amount("opening_minor", "Opening", "sm"),
  amount("gross_minor", "Gross", "md"),
  amount("platform_fee_minor", "Fee", "md"),
  amount("share_minor", "Share"),
  amount("refunded_minor", "Refunded", "lg"),
  amount("charged_back_minor", "Charged back", "lg"),
  amount("credited_minor", "Credited", "md"),
  amount("other_minor", "Other", "lg"),
  amount("paid_out_minor", "Paid out", "sm"),
  amount("closing_minor", "Closing"),
];

/** The last twelve months, one line for each currency. */
export function Statements() {
  const session = useSession();
  const since = session.state === "in" ? Date.parse(session.me.created_at) : platformNow();
  const months = monthsUpTo(platformNow(), since, MONTHS);
  const asked = useQuery(statements(months));
  const rows = (asked.data ?? []).flatMap(rowsOf);
  return (
    <Section
      title="Statements"
      lead="By when the money moved: opening, what moved, closing. What came to you is positive. The CSV has every column, in hundredths of the currency."
      flush
      actions={<DownloadButton file="statements.csv" content={() => rowsAsCsv(COLUMNS, rows)} />}
    >
      <Awaited
        query={asked}
        skeleton={
          <Box sx={{ px: 2 }}>
            <Lines count={3} />
          </Box>
        }
      >
        {() => (
          <DataTable
            caption="Statements"
            columns={COLUMNS}
            rows={rows}
            rowKey={(row) => `${row.month} ${row.currency}`}
            empty={
              <EmptyState title="No money has moved yet">
                A period that a subscriber pays appears here in its month.
              </EmptyState>
            }
          />
        )}
      </Awaited>
    </Section>
  );
}

function rowsOf(of: Statement): Row[] {
  return of.currencies.map((each) => ({ ...each, month: of.month, is_over: of.is_over }));
}
