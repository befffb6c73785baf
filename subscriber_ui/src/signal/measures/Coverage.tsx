import Box from "@mui/material/Box";

import { EmptyState } from "../../elements/EmptyState";
import { MeasureFigure } from "../../elements/MeasureFigure";
import { Section } from "../../elements/Section";
import type { Measures } from "../../format/measures";
import { percent } from "../../format/numbers";
import { coverageOf } from "./groups";

const SIZE = 260;
const EDGE = 40;
const at = (share: number) => EDGE + share * (SIZE - EDGE - 8);
const up = (share: number) => SIZE - EDGE - share * (SIZE - EDGE - 8);

/** Do its quantiles and probabilities mean what they say? */
export function Coverage({ live }: { live: Measures }) {
  const points = coverageOf(live);
  const hasProbability = live["brier_score"]?.value != null;
  return (
    <Section
      title="Reliability"
      lead="Of a quantile at 10 %, outcomes should fall below it one time in ten: points on the line. A reliable probability has a small reliability term and a large resolution."
    >
      {points.length === 0 && !hasProbability ? (
        <EmptyState title="No scored quantiles or probabilities">
          {live["crps"]?.reason ?? live["brier_score"]?.reason}
        </EmptyState>
      ) : (
        <Box sx={{ display: "flex", flexWrap: "wrap", gap: 4, alignItems: "flex-start" }}>
          {points.length > 0 && <Diagram points={points} />}
          <Box
            sx={{
              flex: "1 1 280px",
              display: "grid",
              gap: 2,
              gridTemplateColumns: "repeat(auto-fill, minmax(150px, 1fr))",
            }}
          >
            {points.map(({ level }) => (
              <MeasureFigure
                key={level}
                metric={`coverage_${level}`}
                label={`below the ${percent(level, 0)} quantile`}
                measure={live[`coverage_${level}`]}
              />
            ))}
            {[
              "pit_mean",
              "brier_score",
              "brier_reliability",
              "brier_resolution",
              "brier_uncertainty",
            ].map((metric) => (
              <MeasureFigure key={metric} metric={metric} measure={live[metric]} />
            ))}
          </Box>
        </Box>
      )}
    </Section>
  );
}

function Diagram({ points }: { points: { level: number; covered: number }[] }) {
  const told = points
    .map(({ level, covered }) => `${percent(covered)} fell below the ${percent(level, 0)} quantile`)
    .join(", ");
  return (
    <svg width={SIZE} height={SIZE} role="img" aria-label={`Coverage of quantiles: ${told}`}>
      <g fontSize={11} fill="var(--mui-palette-text-secondary)">
        {[0, 0.5, 1].map((share) => (
          <g key={share}>
            <line
              x1={at(0)}
              x2={at(1)}
              y1={up(share)}
              y2={up(share)}
              stroke="var(--mui-palette-divider)"
            />
            <line
              x1={at(share)}
              x2={at(share)}
              y1={up(0)}
              y2={up(1)}
              stroke="var(--mui-palette-divider)"
            />
            <text x={at(0) - 6} y={up(share) + 4} textAnchor="end">
              {percent(share, 0)}
            </text>
            <text x={at(share)} y={up(0) + 16} textAnchor={share === 1 ? "end" : "middle"}>
              {percent(share, 0)}
            </text>
          </g>
        ))}
        <text x={at(0.5)} y={SIZE - 6} textAnchor="middle">
          level of the quantile
        </text>
      </g>
      <line
        x1={at(0)}
        y1={up(0)}
        x2={at(1)}
        y2={up(1)}
        stroke="var(--mui-palette-text-secondary)"
        strokeDasharray="4 4"
      />
      <polyline
        points={points.map(({ level, covered }) => `${at(level)},${up(covered)}`).join(" ")}
        fill="none"
        stroke="var(--mui-palette-line)"
        strokeWidth={2}
      />
      {points.map(({ level, covered }) => (
        <circle key={level} cx={at(level)} cy={up(covered)} r={4} fill="var(--mui-palette-line)" />
      ))}
    </svg>
  );
}
