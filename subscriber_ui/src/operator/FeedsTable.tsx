import { type Column, DataTable } from "../elements/DataTable";
import { EmptyState } from "../elements/EmptyState";
import { Absent } from "../elements/Figure";
import { relative } from "../format/durations";
import { Instant } from "../format/Instant";
import { count } from "../format/numbers";
import { useNow } from "../format/useNow";
import type { Feed } from "./health";

const NO_BAR = "No bar of it ever came.";

const SYMBOL: Column<Feed> = {
  id: "symbol",
  header: "Symbol",
  value: (feed) => feed.symbol,
  cell: (feed) => <strong>{feed.symbol}</strong>,
};
const AGE: Column<Feed> = {
  id: "age",
  header: "Newest bar ended",
  value: (feed) => feed.newest,
  cell: (feed) => (feed.newest === null ? <Absent reason={NO_BAR} /> : <Age at={feed.newest} />),
};
const REJECTED: Column<Feed> = {
  id: "rejected",
  header: "Refused rows, 24 h",
  numeric: true,
  value: (feed) => feed.rejected,
  cell: (feed) => count(feed.rejected),
};

const SHORT = [SYMBOL, AGE, REJECTED];

export const FEED_COLUMNS: Column<Feed>[] = [
  SYMBOL,
  AGE,
  {
    id: "newest",
    header: "Ended at",
    value: (feed) => feed.newest,
    cell: (feed) => <Moment at={feed.newest} />,
  },
  {
    id: "known_at",
    header: "Known from",
    value: (feed) => feed.known_at,
    cell: (feed) => <Moment at={feed.known_at} />,
  },
  REJECTED,
  { id: "calendar", header: "Calendar", value: (feed) => feed.calendar },
  {
    id: "data",
    header: "Data",
    value: (feed) => (feed.is_sample_data ? "sample" : "market"),
  },
];

/** Feeds by symbol. */
export function FeedsTable({ feeds, isShort = false }: { feeds: Feed[]; isShort?: boolean }) {
  return (
    <DataTable
      caption="Feeds"
      columns={isShort ? SHORT : FEED_COLUMNS}
      rows={feeds}
      rowKey={(feed) => feed.symbol}
      empty={
        <EmptyState title="No live version reads a symbol">
          Feeds are shown from the first live version on.
        </EmptyState>
      }
    />
  );
}

function Age({ at }: { at: string }) {
  return relative(at, useNow());
}

function Moment({ at }: { at: string | null }) {
  return at === null ? <Absent reason={NO_BAR} /> : <Instant at={at} precise />;
}
