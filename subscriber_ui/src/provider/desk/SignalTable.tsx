import Box from "@mui/material/Box";
import Chip from "@mui/material/Chip";
import Stack from "@mui/material/Stack";
import Typography from "@mui/material/Typography";

import { type Column, DataTable } from "../../elements/DataTable";
import { Absent } from "../../elements/Figure";
import { RouterLink } from "../../elements/RouterLink";
import { Section } from "../../elements/Section";
import { StateBadge } from "../../elements/StateBadge";
import { Instant } from "../../format/Instant";
import { count } from "../../format/numbers";
import { amounts } from "../money";
import type { OwnSignal } from "../queries";
import { Outcome } from "../runs/Outcome";

const COLUMNS: Column<OwnSignal>[] = [
  {
    id: "signal",
    header: "Signal",
    value: (row) => row.name,
    cell: (row) => (
      <Box sx={{ minWidth: 120 }}>
        <RouterLink
          to="/provider/signals/$name"
          params={{ name: row.name }}
          sx={{ fontWeight: 600 }}
        >
          {row.name}
        </RouterLink>
        <Typography variant="caption" color="textSecondary" component="div">
          {row.title}
        </Typography>
      </Box>
    ),
  },
  {
    id: "visibility",
    header: "Listed",
    value: (row) => row.visibility,
    cell: (row) => (
      <Chip label={row.visibility} size="small" variant="outlined" sx={{ height: 22 }} />
    ),
    from: "sm",
  },
  {
    id: "live_versions",
    header: "Live",
    value: (row) => row.live_versions.join(" "),
    cell: (row) =>
      row.live_versions.length === 0 ? (
        <Absent reason="No version runs now." />
      ) : (
        row.live_versions.join(", ")
      ),
  },
  {
    id: "last_push",
    header: "Last push",
    value: (row) => row.last_push?.reserved_at ?? null,
    cell: (row) =>
      row.last_push === null ? (
        <Absent reason="Nothing was pushed yet." />
      ) : (
        <Stack direction="row" spacing={0.75} sx={{ alignItems: "center" }}>
          <span>{row.last_push.version}</span>
          <StateBadge state={row.last_push.state} />
        </Stack>
      ),
    from: "md",
  },
  {
    id: "last_slot",
    header: "Last slot",
    value: (row) => row.last_slot?.as_of ?? null,
    cell: (row) => <LastSlot of={row.last_slot} />,
  },
  {
    id: "paying",
    header: "Paying",
    value: (row) => row.paying,
    cell: (row) => count(row.paying),
    numeric: true,
    from: "sm",
  },
  {
    id: "trialing",
    header: "Trial",
    value: (row) => row.trialing,
    cell: (row) => count(row.trialing),
    numeric: true,
    from: "sm",
  },
  {
    id: "earned",
    header: "This month",
    value: (row) => row.earned[0]?.earned_minor ?? null,
    cell: (row) =>
      amounts(row.earned.map((each) => [each.earned_minor, each.currency])) ?? (
        <Absent reason="Nothing was paid, refunded or credited this month." />
      ),
    numeric: true,
    from: "sm",
  },
];

/** One line for each signal. */
export function SignalTable({ signals }: { signals: OwnSignal[] }) {
  return (
    <Section title="Signals" flush>
      <DataTable caption="Signals" columns={COLUMNS} rows={signals} rowKey={(row) => row.signal} />
    </Section>
  );
}

function LastSlot({ of }: { of: OwnSignal["last_slot"] }) {
  if (of === null) return <Absent reason="No hour was due yet." />;
  return (
    <Stack
      direction="row"
      spacing={0.75}
      useFlexGap
      sx={{ alignItems: "center", flexWrap: "wrap" }}
    >
      <Outcome of={of.proven} />
      <Box>
        <Instant at={of.as_of} />
        {of.reason !== null && (
          <Typography variant="caption" color="textSecondary" component="div">
            {of.reason.split(":", 1)[0]}
          </Typography>
        )}
      </Box>
    </Stack>
  );
}
