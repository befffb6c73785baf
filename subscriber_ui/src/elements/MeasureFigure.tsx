import { interval, type Measure, valueOf } from "../format/measures";
import { count } from "../format/numbers";
import { Figure } from "./Figure";
import { definitionIn, MetricName, useDefinitions } from "./MetricName";

interface Props {
  /** As GET /v1/metrics names it. */
  metric: string;
  label?: string;
  measure: Measure | undefined;
  /** Instead of the interval and count. */
  note?: string;
}

/** A measure with its interval, count or reason; its definition on hover and focus. */
export function MeasureFigure({ metric, label, measure, note }: Props) {
  const unit = useUnit(metric);
  return (
    <Figure
      label={<MetricName metric={metric} label={label} />}
      value={valueOf(measure, unit, metric)}
      reason={measure?.reason ?? "not computed yet"}
      note={note ?? (measure === undefined ? undefined : noteOf(measure, unit, metric))}
    />
  );
}

/** The unit that a metric is defined in; "" until definitions are there. */
export function useUnit(metric: string): string {
  const definitions = useDefinitions();
  return unitIn(definitions.data?.items ?? [], metric);
}

export function unitIn(definitions: { name: string; unit: string }[], metric: string): string {
  return definitionIn(definitions, metric)?.unit ?? "";
}

function noteOf(measure: Measure, unit: string, metric: string): string | undefined {
  if (measure.value == null) return undefined;
  const ends = interval(measure, unit, metric);
  return ends === null ? `of ${count(measure.count)}, no interval` : `95 %: ${ends}`;
}
