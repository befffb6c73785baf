import Box from "@mui/material/Box";
import Typography from "@mui/material/Typography";

import { type Column, DataTable } from "../../elements/DataTable";
import { EmptyState } from "../../elements/EmptyState";
import { Absent } from "../../elements/Figure";
import { unitIn } from "../../elements/MeasureFigure";
import { MetricName, useDefinitions } from "../../elements/MetricName";
import { Section } from "../../elements/Section";
import { type Measures, valueOf } from "../../format/measures";

const SHOWN = ["total_return", "annualised_return", "sharpe", "max_drawdown"];

interface Row {
  hours: number;
  measures: Measures;
}

/** What is left of it for those who act later. */
export function ByDelay({ byDelay }: { byDelay: Record<string, Measures> }) {
  const definitions = useDefinitions().data?.items ?? [];
  const rows = Object.entries(byDelay)
    .map(([hours, measures]): Row => ({ hours: Number(hours), measures }))
    .sort((a, b) => a.hours - b.hours);
  const most = Math.max(...rows.map((row) => Math.abs(row.measures["total_return"]?.value ?? 0)));
  const columns: Column<Row>[] = [
    { id: "hours", header: "Hours later", value: (row) => row.hours, numeric: true },
    {
      id: "bar",
      header: "Return, drawn",
      cell: (row) => <Bar value={row.measures["total_return"]?.value ?? 0} most={most} />,
      from: "sm",
    },
    ...SHOWN.map((metric): Column<Row> => ({
      id: metric,
      header: <MetricName metric={metric} />,
      cell: (row) =>
        valueOf(row.measures[metric], unitIn(definitions, metric), metric) ?? (
          <Absent reason={row.measures[metric]?.reason} />
        ),
      numeric: true,
    })),
  ];
  return (
    <Section
      title="By delay"
      lead="The trading rule acting so many hours later, live. What is gone after an hour cannot be had by everybody."
      flush
    >
      <DataTable
        caption="The trading rule by delay"
        columns={columns}
        rows={rows.some((row) => row.measures["total_return"]?.value != null) ? rows : []}
        empty={<EmptyState title="The rule has not traded live yet" />}
        rowKey={(row) => String(row.hours)}
      />
      <Typography variant="caption" color="textSecondary" component="p" sx={{ px: 2, py: 1 }}>
        Measures by delay have no interval.
      </Typography>
    </Section>
  );
}

/** From the middle: to the right a gain, to the left a loss; the number stands beside it. */
function Bar({ value, most }: { value: number; most: number }) {
  const share = most === 0 ? 0 : (Math.abs(value) / most) * 50;
  return (
    <Box aria-hidden sx={{ position: "relative", height: 10, width: { sm: 120, lg: 220 } }}>
      <Box
        sx={{
          position: "absolute",
          insetBlock: 0,
          width: `${share}%`,
          left: value < 0 ? `${50 - share}%` : "50%",
          bgcolor: value < 0 ? "var(--mui-palette-down)" : "var(--mui-palette-up)",
          borderRadius: 0.5,
        }}
      />
      <Box
        sx={{
          position: "absolute",
          insetBlock: -4,
          left: "50%",
          width: "1px",
          bgcolor: "text.secondary",
        }}
      />
    </Box>
  );
}
