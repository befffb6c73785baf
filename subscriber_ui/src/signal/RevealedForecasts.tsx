import { useQuery } from "@tanstack/react-query";

import type { Schemas } from "../api/client";
import { Awaited, Lines } from "../elements/Awaited";
import { type Column, DataTable, rowsAsCsv } from "../elements/DataTable";
import { DownloadButton } from "../elements/DownloadButton";
import { EmptyState } from "../elements/EmptyState";
import { Absent } from "../elements/Figure";
import { ProvenanceBadge } from "../elements/ProvenanceBadge";
import { Section } from "../elements/Section";
import { Instant } from "../format/Instant";
import { number, percent } from "../format/numbers";
import { type Name, revealedQuery } from "./queries";

type Forecast = Schemas["Forecast"];

interface Props {
  path: Name;
  /** Slots before it are public; undefined: not known yet, null: none ever are. */
  until: string | null | undefined;
}

/** The newest forecasts that are public, as they were on record. */
export function RevealedForecasts({ path, until }: Props) {
  const revealed = useQuery({ ...revealedQuery(path, until ?? ""), enabled: until != null });
  const rows = revealed.data?.items ?? [];
  return (
    <Section
      title="Newest public forecasts"
      lead={
        until != null ? (
          <>
            Of slots before <Instant at={until} />. Subscribers read each hour as it comes.
          </>
        ) : undefined
      }
      actions={
        rows.length > 0 && (
          <DownloadButton
            file={`${path.provider}-${path.name}-forecasts.csv`}
            content={() => rowsAsCsv(COLUMNS, rows)}
          />
        )
      }
      flush
    >
      {until === null ? (
        <EmptyState title="Nothing is public">The signal is private to its provider.</EmptyState>
      ) : (
        <Awaited query={revealed} skeleton={<Lines count={8} height={33} />}>
          {(data) => (
            <DataTable
              caption="Newest public forecasts"
              columns={COLUMNS}
              rows={data.items}
              rowKey={(row) => `${row.as_of} ${row.symbol} ${row.horizon_hours} ${row.version}`}
              empty={
                <EmptyState title="No live forecast is public yet">
                  The first ones are when the hours that the offer names are over.
                </EmptyState>
              }
            />
          )}
        </Awaited>
      )}
    </Section>
  );
}

const COLUMNS: Column<Forecast>[] = [
  {
    id: "as_of",
    header: "Made at",
    value: (row) => row.as_of,
    cell: (row) => <Instant at={row.as_of} />,
  },
  { id: "symbol", header: "Symbol", value: (row) => row.symbol },
  { id: "horizon_hours", header: "Hours ahead", value: (row) => row.horizon_hours, numeric: true },
  {
    id: "point",
    header: "Forecast",
    value: (row) => row.point,
    cell: (row) => number(row.point, 4),
    numeric: true,
  },
  {
    id: "probability_up",
    header: "Probability up",
    value: (row) => row.probability_up,
    cell: (row) =>
      row.probability_up === null ? (
        <Absent reason="The model gives no probability." />
      ) : (
        percent(row.probability_up)
      ),
    numeric: true,
    from: "sm",
  },
  {
    id: "provenance",
    header: "Provenance",
    value: (row) => row.provenance,
    cell: (row) => <ProvenanceBadge of={row.provenance} />,
  },
  { id: "leaf_index", header: "Leaf", value: (row) => row.leaf_index, numeric: true, from: "md" },
];
