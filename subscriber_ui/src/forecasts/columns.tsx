import Box from "@mui/material/Box";
import Chip from "@mui/material/Chip";
import Tooltip from "@mui/material/Tooltip";

import type { Column } from "../elements/DataTable";
import { Absent } from "../elements/Figure";
import { ProvenanceBadge } from "../elements/ProvenanceBadge";
import { RouterLink } from "../elements/RouterLink";
import { relative } from "../format/durations";
import { Instant } from "../format/Instant";
import { number, percent } from "../format/numbers";
import { freshness, type Missed } from "./freshness";
import { IntervalBar } from "./IntervalBar";
import type { Forecast } from "./latest";

interface Known {
  now: number;
  missed: ReadonlyMap<string, Missed>;
  targets: ReadonlyMap<string, string>;
  /** Ends of the scale of an instrument's returns. */
  returns: ReadonlyMap<string, [number, number]>;
}

const PRICE_DIGITS = 7;
const RETURN_DIGITS = 3;

/** The columns of "My forecasts"; those with a value go to CSV as they are. */
export function columnsOf({ now, missed, targets, returns }: Known): Column<Forecast>[] {
  const written = (row: Forecast) => (value: number) =>
    targets.get(row.signal) === "return" ? signedPercent(value) : number(value, PRICE_DIGITS);
  return [
    {
      id: "signal",
      header: "Signal",
      value: (row) => row.signal,
      cell: (row) => <SignalLink signal={row.signal} />,
      from: "sm",
    },
    {
      id: "symbol",
      header: "Instrument",
      value: (row) => row.symbol,
      cell: (row) => (
        <>
          {row.symbol}
          <Box sx={{ display: { sm: "none" }, fontSize: "0.75rem" }}>
            {row.horizon_hours} h · <SignalLink signal={row.signal} />
          </Box>
        </>
      ),
    },
    {
      id: "horizon_hours",
      header: "Horizon",
      numeric: true,
      value: (row) => row.horizon_hours,
      cell: (row) => <span style={{ whiteSpace: "nowrap" }}>{row.horizon_hours} h</span>,
      from: "sm",
    },
    {
      id: "point",
      header: "Forecast",
      numeric: true,
      value: (row) => row.point,
      cell: (row) => <strong style={{ whiteSpace: "nowrap" }}>{written(row)(row.point)}</strong>,
    },
    {
      id: "interval",
      header: "Interval",
      numeric: true,
      cell: (row) => {
        const quantiles = row.quantiles ?? [];
        if (quantiles.length < 2) return <Absent reason="The signal gives no quantiles." />;
        const isReturn = targets.get(row.signal) === "return";
        const scale = isReturn ? returns.get(row.symbol) : undefined;
        return (
          <IntervalBar
            quantiles={quantiles}
            point={row.point}
            scale={scale ?? around(quantiles, row.point)}
            written={written(row)}
          />
        );
      },
    },
    {
      id: "probability_up",
      header: "P(up)",
      numeric: true,
      value: (row) => row.probability_up,
      cell: (row) =>
        row.probability_up === null ? (
          <Absent reason="The signal gives no probability." />
        ) : (
          percent(row.probability_up)
        ),
    },
    {
      id: "as_of",
      header: "Slot",
      value: (row) => row.as_of,
      cell: (row) => <Instant at={row.as_of} />,
    },
    {
      id: "freshness",
      header: "Freshness",
      cell: (row) => <FreshnessBadge row={row} missed={missed.get(row.signal)} now={now} />,
    },
    {
      id: "provenance",
      header: "Provenance",
      value: (row) => row.provenance,
      cell: (row) => <ProvenanceBadge of={row.provenance} />,
    },
    {
      id: "target_time",
      header: "Target time",
      value: (row) => row.target_time,
      cell: (row) => <Instant at={row.target_time} />,
    },
    { id: "available_at", header: "Published", value: (row) => row.available_at, cell: published },
  ];

  function published(row: Forecast) {
    return <span style={{ whiteSpace: "nowrap" }}>{relative(row.available_at, now)}</span>;
  }
}

/** One scale for each instrument, with nought in its middle: its bars can be compared. */
export function scalesOf(rows: Forecast[]): Map<string, [number, number]> {
  const scales = new Map<string, [number, number]>();
  for (const { symbol, quantiles } of rows) {
    const ends = (quantiles ?? []).map(([, value]) => Math.abs(value));
    const widest = Math.max(scales.get(symbol)?.[1] ?? 0, ...ends);
    scales.set(symbol, [-widest, widest]);
  }
  return scales;
}

/** +0.0123 %: hourly returns are small, and none of them is rounded to nought. */
export function signedPercent(value: number): string {
  return `${value > 0 ? "+" : ""}${number(value * 100, RETURN_DIGITS)} %`;
}

function around(quantiles: [number, number][], point: number): [number, number] {
  const values = [point, ...quantiles.map(([, value]) => value)];
  return [Math.min(...values), Math.max(...values)];
}

function SignalLink({ signal }: { signal: string }) {
  const [provider = "", name = ""] = signal.split("/");
  return (
    <RouterLink to="/signals/$provider/$name" params={{ provider, name }}>
      {signal}
    </RouterLink>
  );
}

interface BadgeProps {
  row: Forecast;
  missed: Missed | undefined;
  now: number;
}

function FreshnessBadge({ row, missed, now }: BadgeProps) {
  const { tone, label, means } = freshness(row.as_of, missed, now);
  return (
    <Tooltip title={means}>
      <Chip
        label={label}
        color={tone}
        size="small"
        variant="outlined"
        tabIndex={0}
        sx={{ height: 22, fontWeight: 600 }}
      />
    </Tooltip>
  );
}
