import Box from "@mui/material/Box";
import Table from "@mui/material/Table";
import TableBody from "@mui/material/TableBody";
import TableCell from "@mui/material/TableCell";
import TableContainer from "@mui/material/TableContainer";
import TableHead from "@mui/material/TableHead";
import TableRow from "@mui/material/TableRow";
import Typography from "@mui/material/Typography";
import type { ReactNode } from "react";

import type { Schemas } from "../api/client";
import { Absent } from "../elements/Figure";
import { unitIn } from "../elements/MeasureFigure";
import { MetricName, useDefinitions } from "../elements/MetricName";
import { RouterLink } from "../elements/RouterLink";
import { SampleBadge } from "../elements/SampleBadge";
import { Instant } from "../format/Instant";
import { interval, valueOf } from "../format/measures";
import { count, money } from "../format/numbers";

type Signal = Schemas["Signal"];

const MEASURES: [string, string][] = [
  ["skill_with_misses", "Skill"],
  ["hit_rate_with_misses", "Hit rate"],
  ["total_return", "Return"],
  ["max_drawdown", "Max drawdown"],
  ["sharpe", "Sharpe ratio"],
];

/** A column for each signal. */
export function SideBySide({ signals }: { signals: Signal[] }) {
  const definitions = useDefinitions().data?.items ?? [];
  return (
    <TableContainer tabIndex={0} role="group" aria-label="Side by side, scrolls sideways">
      <Table size="small" sx={{ minWidth: 220 + signals.length * 170 }}>
        <TableHead>
          <TableRow>
            <TableCell component="td" />
            {signals.map((signal) => (
              <TableCell key={signal.signal} scope="col">
                <RouterLink
                  to="/signals/$provider/$name"
                  params={{ provider: signal.provider, name: signal.name }}
                >
                  {signal.title}
                </RouterLink>
                <Typography variant="caption" color="textSecondary" component="div">
                  {signal.signal}
                </Typography>
                {signal.is_sample_data && <SampleBadge />}
              </TableCell>
            ))}
          </TableRow>
        </TableHead>
        <TableBody>
          <Row name="Live since" of={signals} cell={liveSince} />
          <Row name="Live slots" of={signals} cell={(each) => count(each.headline.live_slots)} />
          <Row name="Rank" of={signals} cell={rank} />
          {MEASURES.map(([metric, label]) => (
            <Row
              key={metric}
              name={<MetricName metric={metric} label={label} />}
              of={signals}
              cell={(each) => (
                <Told
                  measure={each.headline.so_far[metric]}
                  metric={metric}
                  unit={unitIn(definitions, metric)}
                />
              )}
            />
          ))}
          <Row name="Symbols" of={signals} cell={(each) => each.symbols.join(", ")} />
          <Row
            name="Horizons"
            of={signals}
            cell={(each) => `${each.horizons_hours.join(", ")} h`}
          />
          <Row name="Forecasts" of={signals} cell={(each) => `${each.target ?? "return"}s`} />
          <Row name="Price a month" of={signals} cell={price} />
          <Row name="Trial" of={signals} cell={trial} />
          <Row name="Public after" of={signals} cell={reveal} />
        </TableBody>
      </Table>
    </TableContainer>
  );
}

interface RowProps {
  name: ReactNode;
  of: Signal[];
  cell: (signal: Signal) => ReactNode;
}

function Row({ name, of, cell }: RowProps) {
  return (
    <TableRow hover>
      <TableCell
        component="th"
        scope="row"
        sx={{ color: "text.secondary", position: "sticky", left: 0, bgcolor: "background.paper" }}
      >
        {name}
      </TableCell>
      {of.map((signal) => (
        <TableCell key={signal.signal} sx={{ verticalAlign: "top" }}>
          {cell(signal)}
        </TableCell>
      ))}
    </TableRow>
  );
}

interface ToldProps {
  measure: Schemas["Measure"] | undefined;
  metric: string;
  unit: string;
}

function Told({ measure, metric, unit }: ToldProps) {
  const value = valueOf(measure, unit, metric);
  if (measure === undefined || value === null) return <Absent reason={measure?.reason} />;
  const ends = interval(measure, unit, metric);
  return (
    <>
      <Box component="span" sx={{ fontWeight: 600 }}>
        {value}
      </Box>
      <Typography variant="caption" color="textSecondary" component="div">
        {ends === null ? "no interval" : `95 %: ${ends}`}
      </Typography>
    </>
  );
}

function liveSince({ headline }: Signal): ReactNode {
  if (headline.live_since === null) return <Absent reason="No slot was proven live yet." />;
  return <Instant at={headline.live_since} />;
}

function rank({ headline }: Signal): string {
  return headline.reasons["skill"] ?? "long enough";
}

function price({ offer }: Signal): ReactNode {
  if (offer == null) return <Absent reason="The provider has no offer now." />;
  return offer.amount_minor === 0 ? "Free" : money(offer.amount_minor, offer.currency);
}

function trial({ offer }: Signal): string {
  return offer == null || offer.trial_days === 0 ? "none" : `${offer.trial_days} days`;
}

function reveal({ offer }: Signal): ReactNode {
  if (offer == null) return <Absent reason="The provider has no offer now." />;
  return `${offer.reveal_after_hours} h`;
}
