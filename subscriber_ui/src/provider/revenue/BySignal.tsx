import Box from "@mui/material/Box";
import { useQuery } from "@tanstack/react-query";

import { Awaited, Lines } from "../../elements/Awaited";
import { type Column, DataTable, rowsAsCsv } from "../../elements/DataTable";
import { DownloadButton } from "../../elements/DownloadButton";
import { EmptyState } from "../../elements/EmptyState";
import { RouterButton, RouterLink } from "../../elements/RouterLink";
import { Section } from "../../elements/Section";
import { count, money } from "../../format/numbers";
import { ownSignals } from "../queries";

interface Row {
  name: string;
  currency: string;
  earned_minor: number | null;
  paying: number;
  trialing: number;
}

const COLUMNS: Column<Row>[] = [
  {
    id: "signal",
    header: "Signal",
    value: (row) => row.name,
    cell: (row) => (
      <RouterLink to="/provider/signals/$name/offer" params={{ name: row.name }}>
        {row.name}
      </RouterLink>
    ),
  },
  {
    id: "paying",
    header: "Paying",
    value: (row) => row.paying,
    cell: (row) => count(row.paying),
    numeric: true,
  },
  {
    id: "trialing",
    header: "Trial",
    value: (row) => row.trialing,
    cell: (row) => count(row.trialing),
    numeric: true,
  },
  {
    id: "earned_minor",
    header: "Earned this month",
    value: (row) => row.earned_minor,
    cell: (row) =>
      row.earned_minor === null ? "nothing yet" : money(row.earned_minor, row.currency),
    numeric: true,
  },
];

/** What each signal brought this month. */
export function BySignal() {
  const signals = useQuery(ownSignals());
  const rows = (signals.data?.items ?? []).flatMap(({ name, paying, trialing, earned }): Row[] =>
    earned.length === 0
      ? [{ name, paying, trialing, currency: "", earned_minor: null }]
      : earned.map((each) => ({ name, paying, trialing, ...each })),
  );
  return (
    <Section
      title="This month by signal"
      flush
      actions={
        <DownloadButton file="signals-this-month.csv" content={() => rowsAsCsv(COLUMNS, rows)} />
      }
    >
      <Awaited
        query={signals}
        skeleton={
          <Box sx={{ px: 2 }}>
            <Lines count={3} />
          </Box>
        }
      >
        {() => (
          <DataTable
            caption="This month by signal"
            columns={COLUMNS}
            rows={rows}
            rowKey={(row) => `${row.name} ${row.currency}`}
            empty={
              <EmptyState
                title="You have no signal yet"
                action={<RouterButton to="/provider">Make the first</RouterButton>}
              />
            }
          />
        )}
      </Awaited>
    </Section>
  );
}
