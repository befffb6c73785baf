import Table from "@mui/material/Table";
import TableBody from "@mui/material/TableBody";
import TableCell from "@mui/material/TableCell";
import TableContainer from "@mui/material/TableContainer";
import TableHead from "@mui/material/TableHead";
import TableRow from "@mui/material/TableRow";
import Typography from "@mui/material/Typography";

import type { Schemas } from "../../api/client";
import { Absent } from "../../elements/Figure";
import { HypotheticalNotice } from "../../elements/HypotheticalNotice";
import { unitIn } from "../../elements/MeasureFigure";
import { MetricName, useDefinitions } from "../../elements/MetricName";
import { ProvenanceBadge } from "../../elements/ProvenanceBadge";
import { Section } from "../../elements/Section";
import { interval, type Measure, type Measures, sideOf, valueOf } from "../../format/measures";
import { count } from "../../format/numbers";

const OF_FORECASTS = [
  "hit_rate",
  "mean_absolute_error",
  "root_mean_squared_error",
  "mase",
  "correlation",
  "crps",
  "brier_score",
  "log_score",
];
const OF_RULE = ["total_return", "annualised_return", "sharpe", "max_drawdown"];
const DRIFTS: Record<ReturnType<typeof sideOf>, string> = {
  above: "beyond chance",
  below: "beyond chance",
  either: "could be chance",
  unknown: "too few for an interval",
};

interface Props {
  measures: Schemas["Measured"];
  target: string | null;
}

/** Does it hold: live beside what was run afterwards, in the same units. */
export function LiveAgainstReplayed({ measures, target }: Props) {
  const { live, late, replayed, backfilled, afterwards, drift } = measures;
  return (
    <Section
      title="Live against replayed and backfilled"
      lead="A signal that does well over the past and not live was fitted to the past."
      flush
    >
      <div style={{ padding: "0 16px" }}>
        <HypotheticalNotice />
      </div>
      <TableContainer
        tabIndex={0}
        role="group"
        aria-label="Live against replayed, scrolls sideways"
      >
        <Table size="small" sx={{ minWidth: 640 }}>
          <TableHead>
            <TableRow>
              <TableCell>Forecasts{target === null ? "" : ` of ${target}s`}</TableCell>
              {(["live", "late", "replayed", "backfilled"] as const).map((each) => (
                <TableCell key={each} align="right">
                  <ProvenanceBadge of={each} />
                </TableCell>
              ))}
              <TableCell align="right">Drift</TableCell>
            </TableRow>
          </TableHead>
          <TableBody>
            {OF_FORECASTS.map((metric) => (
              <TableRow key={metric} hover>
                <TableCell component="th" scope="row">
                  <MetricName metric={metric} />
                </TableCell>
                {[live, late, replayed, backfilled].map((part, at) => (
                  <Value key={at} metric={metric} of={part} />
                ))}
                <Drift metric={metric} measure={drift[metric]} />
              </TableRow>
            ))}
          </TableBody>
        </Table>
      </TableContainer>
      {afterwards != null && (
        <TableContainer
          tabIndex={0}
          role="group"
          aria-label="The rule live and afterwards, scrolls sideways"
        >
          <Table size="small" sx={{ mt: 2 }}>
            <TableHead>
              <TableRow>
                <TableCell>Trading rule</TableCell>
                <TableCell align="right">live</TableCell>
                <TableCell align="right">replayed and backfilled</TableCell>
              </TableRow>
            </TableHead>
            <TableBody>
              {OF_RULE.map((metric) => (
                <TableRow key={metric} hover>
                  <TableCell component="th" scope="row">
                    <MetricName metric={metric} />
                  </TableCell>
                  <Value metric={metric} of={live} />
                  <Value metric={metric} of={afterwards} />
                </TableRow>
              ))}
              <TableRow hover>
                <TableCell component="th" scope="row">
                  Drift of the <MetricName metric="mean_hourly_return" />
                </TableCell>
                <Drift
                  metric="mean_hourly_return"
                  measure={drift["mean_hourly_return"]}
                  colSpan={2}
                />
              </TableRow>
            </TableBody>
          </Table>
        </TableContainer>
      )}
      <Typography variant="caption" color="textSecondary" component="p" sx={{ px: 2, py: 1 }}>
        Drift is live less replayed and backfilled. The two are of other hours: the market may have
        been another.
      </Typography>
    </Section>
  );
}

function Value({ metric, of }: { metric: string; of: Measures }) {
  const definitions = useDefinitions().data?.items ?? [];
  const measure = of[metric];
  const value = valueOf(measure, unitIn(definitions, metric), metric);
  return (
    <TableCell align="right" sx={{ whiteSpace: "nowrap" }}>
      {value === null ? <Absent reason={measure?.reason} /> : <strong>{value}</strong>}
      {measure !== undefined && measure.count > 0 && (
        <Typography variant="caption" color="textSecondary" component="div">
          of {count(measure.count)}
        </Typography>
      )}
    </TableCell>
  );
}

interface DriftProps {
  metric: string;
  measure: Measure | undefined;
  colSpan?: number;
}

function Drift({ metric, measure, colSpan }: DriftProps) {
  const definitions = useDefinitions().data?.items ?? [];
  const unit = unitIn(definitions, metric);
  const value = valueOf(measure, unit, metric);
  if (measure === undefined || value === null) {
    const why =
      measure?.reason ?? "Drift is computed of hit rate, absolute error and hourly return.";
    return (
      <TableCell align="right" colSpan={colSpan}>
        <Absent reason={why} />
      </TableCell>
    );
  }
  const ends = interval(measure, unit, metric);
  return (
    <TableCell align="right" colSpan={colSpan} sx={{ whiteSpace: "nowrap" }}>
      <strong>{value}</strong>
      <Typography variant="caption" color="textSecondary" component="div">
        {ends === null ? DRIFTS.unknown : `95 %: ${ends}, ${DRIFTS[sideOf(measure)]}`}
      </Typography>
    </TableCell>
  );
}
