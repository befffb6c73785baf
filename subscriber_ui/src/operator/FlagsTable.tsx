import type { Schemas } from "../api/client";
import { type Column, DataTable } from "../elements/DataTable";
import { EmptyState } from "../elements/EmptyState";
import { Instant } from "../format/Instant";
import { money } from "../format/numbers";

type Flag = Schemas["Flag"];

const NAMES: Record<Flag["flag"], string> = {
  related_account: "One card pays for provider and subscriber",
  negative_balance: "The provider's balance is negative",
};

const COLUMNS: Column<Flag>[] = [
  { id: "flag", header: "What", value: (flag) => flag.flag, cell: (flag) => NAMES[flag.flag] },
  { id: "provider", header: "Provider", value: (flag) => flag.provider },
  {
    id: "subject",
    header: "Invoice or account",
    value: (flag) => flag.subject,
    cell: (flag) => <code>{flag.subject}</code>,
  },
  {
    id: "amount_minor",
    header: "Amount",
    numeric: true,
    value: (flag) => flag.amount_minor,
    cell: (flag) => money(flag.amount_minor, flag.currency),
  },
  {
    id: "since",
    header: "Since",
    value: (flag) => flag.since,
    cell: (flag) => <Instant at={flag.since} />,
  },
];

/** What an operator should look at. */
export function FlagsTable({ flags }: { flags: Flag[] }) {
  return (
    <DataTable
      caption="To look at"
      columns={COLUMNS}
      rows={flags}
      rowKey={(flag) => `${flag.flag} ${flag.subject} ${flag.currency}`}
      empty={
        <EmptyState title="Nothing is flagged">
          No balance is negative, no card pays for both sides.
        </EmptyState>
      }
    />
  );
}
