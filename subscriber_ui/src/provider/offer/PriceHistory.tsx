import type { Schemas } from "../../api/client";
import { type Column, DataTable, rowsAsCsv } from "../../elements/DataTable";
import { DownloadButton } from "../../elements/DownloadButton";
import { Absent } from "../../elements/Figure";
import { Section } from "../../elements/Section";
import { duration } from "../../format/durations";
import { Instant } from "../../format/Instant";
import { count, money } from "../../format/numbers";

export type PastOffer = Schemas["PastOffer"];

const HOUR_S = 3600;

const COLUMNS: Column<PastOffer>[] = [
  {
    id: "valid_from",
    header: "Since",
    value: (row) => row.valid_from,
    cell: (row) => <Instant at={row.valid_from} />,
  },
  {
    id: "amount_minor",
    header: "Price a month",
    value: (row) => row.amount_minor,
    cell: (row) => money(row.amount_minor, row.currency),
    numeric: true,
  },
  {
    id: "trial_days",
    header: "Trial, days",
    value: (row) => row.trial_days,
    cell: (row) => count(row.trial_days),
    numeric: true,
  },
  {
    id: "reveal_after_hours",
    header: "Public after",
    value: (row) => row.reveal_after_hours,
    cell: (row) => duration(row.reveal_after_hours * HOUR_S),
    numeric: true,
    from: "sm",
  },
  {
    id: "effective_from",
    header: "Proposed to subscribers from",
    value: (row) => row.effective_from,
    cell: (row) =>
      row.effective_from === null ? (
        <Absent reason="Who had subscribed was not asked, and kept the price they agreed to." />
      ) : (
        <>
          <Instant at={row.effective_from} />
          {row.ends_old_terms ? ", old terms end" : ", old terms may be kept"}
        </>
      ),
    from: "sm",
  },
];

/** Every offer there was, the one that binds new subscribers first. */
export function PriceHistory({ name, offers }: { name: string; offers: PastOffer[] }) {
  return (
    <Section
      title="Price history"
      lead="The first line binds who subscribes now. Each change is a leaf of the transparency log."
      flush
      actions={
        <DownloadButton file={`${name}-offers.csv`} content={() => rowsAsCsv(COLUMNS, offers)} />
      }
    >
      <DataTable
        caption="Price history"
        columns={COLUMNS}
        rows={offers}
        rowKey={(row) => String(row.id)}
      />
    </Section>
  );
}
