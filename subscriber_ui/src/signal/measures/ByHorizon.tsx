import { type Column, DataTable } from "../../elements/DataTable";
import { EmptyState } from "../../elements/EmptyState";
import { Absent } from "../../elements/Figure";
import { unitIn } from "../../elements/MeasureFigure";
import { MetricName, useDefinitions } from "../../elements/MetricName";
import { Section } from "../../elements/Section";
import { type Measures, valueOf } from "../../format/measures";
import { count } from "../../format/numbers";

const SHOWN = ["hit_rate", "mean_absolute_error", "mase", "correlation", "crps", "brier_score"];

interface Row {
  hours: number;
  measures: Measures;
}

/** Live forecasts by how far ahead they look. */
export function ByHorizon({ byHorizon }: { byHorizon: Record<string, Measures> }) {
  const definitions = useDefinitions().data?.items ?? [];
  const rows = Object.entries(byHorizon)
    .map(([hours, measures]): Row => ({ hours: Number(hours), measures }))
    .sort((a, b) => a.hours - b.hours);
  const columns: Column<Row>[] = [
    { id: "hours", header: "Hours ahead", value: (row) => row.hours, numeric: true },
    {
      id: "count",
      header: "Scored",
      value: (row) => row.measures["mean_absolute_error"]?.count ?? 0,
      cell: (row) => count(row.measures["mean_absolute_error"]?.count ?? 0),
      numeric: true,
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
    <Section title="By horizon" lead="Live forecasts by how many hours ahead they look." flush>
      <DataTable
        caption="Measures by horizon"
        columns={columns}
        rows={rows}
        rowKey={(row) => String(row.hours)}
        empty={<EmptyState title="No live forecast has an outcome yet" />}
      />
    </Section>
  );
}
