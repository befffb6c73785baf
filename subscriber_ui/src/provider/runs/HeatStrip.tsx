import Box from "@mui/material/Box";
import Skeleton from "@mui/material/Skeleton";
import Stack from "@mui/material/Stack";
import { useTheme } from "@mui/material/styles";
import Typography from "@mui/material/Typography";
import { useQuery } from "@tanstack/react-query";

import { now as platformNow } from "../../api/clock";
import { Awaited } from "../../elements/Awaited";
import { Section } from "../../elements/Section";
import { instant } from "../../format/instants";
import { type Path, type Run, runs } from "../queries";
import { Cost } from "./Cost";
import {
  type Day,
  type Hour,
  inWords,
  isOutcome,
  type Outcome,
  OUTCOMES,
  strip,
  tally,
} from "./outcomes";
import { iso } from "./search";

const DAYS = 14;
const DAY_MS = 86_400_000;
const CELL = 16;
const GAP = 2;
const LABEL = 44;
const TOP = 14;

/** Told apart by a sign too. */
const SIGNS: Record<Outcome, string> = { live: "", late: "~", missed: "×", pending: "…" };

interface Props {
  path: Path;
  version: string;
  /** Show an hour's log. */
  open: (slot: string) => void;
}

/** The last 14 days, hour by hour. */
export function HeatStrip({ path, version, open }: Props) {
  const now = Math.floor(platformNow() / DAY_MS) * DAY_MS;
  const from = iso(now - (DAYS - 1) * DAY_MS);
  // Due hours are at most 336; replays of the same hours may come between.
  const recent = useQuery(runs(path, version, { from, limit: 1000 }));
  return (
    <Section
      title="Last 14 days"
      lead={`${version}, hour by hour, UTC. What is proven by a checkpoint counts.`}
      actions={<Legend />}
    >
      <Awaited
        query={recent}
        skeleton={<Skeleton variant="rounded" height={TOP + DAYS * (CELL + GAP) + 24} />}
      >
        {({ items }) => {
          const days = strip(items, DAYS, platformNow());
          return (
            <Stack direction={{ xs: "column", lg: "row" }} spacing={4}>
              <Box sx={{ flex: { lg: "0 1 620px" }, minWidth: 0 }}>
                <Strip days={days} open={open} />
              </Box>
              <Cost runs={items} counts={tally(days)} />
            </Stack>
          );
        }}
      </Awaited>
    </Section>
  );
}

export function Strip({ days, open }: { days: Day[]; open: (slot: string) => void }) {
  const words = inWords(tally(days), days.length);
  const width = LABEL + 24 * (CELL + GAP);
  const height = TOP + days.length * (CELL + GAP);
  return (
    <>
      <Box
        sx={{ overflowX: "auto" }}
        tabIndex={0}
        role="group"
        aria-label="Hours, scrolls sideways"
      >
        <Box
          component="svg"
          role="img"
          aria-label={words}
          viewBox={`0 0 ${width} ${height}`}
          sx={{ width: "100%", minWidth: 280, maxWidth: 620, display: "block" }}
        >
          {[0, 6, 12, 18].map((hour) => (
            <Box
              component="text"
              key={hour}
              x={LABEL + hour * (CELL + GAP)}
              y={9}
              sx={{ fontSize: { xs: 12, sm: 8 }, fill: "var(--mui-palette-text-secondary)" }}
            >
              {String(hour).padStart(2, "0")}:00
            </Box>
          ))}
          {days.map((day, row) => (
            <Row key={day.begins} day={day} y={TOP + row * (CELL + GAP)} open={open} />
          ))}
        </Box>
      </Box>
      <Typography variant="body2" color="textSecondary" sx={{ mt: 1 }}>
        {words}
      </Typography>
    </>
  );
}

function Row({ day, y, open }: { day: Day; y: number; open: (slot: string) => void }) {
  return (
    <g>
      <Box
        component="text"
        x={0}
        y={y + CELL - 4}
        sx={{ fontSize: { xs: 13, sm: 8.5 }, fill: "var(--mui-palette-text-secondary)" }}
      >
        {iso(day.begins).slice(5, 10)}
      </Box>
      {day.hours.map((hour, at) => (
        <Cell key={hour.at} hour={hour} x={LABEL + at * (CELL + GAP)} y={y} open={open} />
      ))}
    </g>
  );
}

interface CellProps {
  hour: Hour;
  x: number;
  y: number;
  open: (slot: string) => void;
}

function Cell({ hour, x, y, open }: CellProps) {
  const { run } = hour;
  const outcome = run !== null && isOutcome(run.proven) ? run.proven : null;
  const colour = useColour();
  return (
    <g
      onClick={run === null ? undefined : () => open(run.as_of)}
      style={{ cursor: run === null ? "default" : "pointer" }}
    >
      <title>{title(hour, run)}</title>
      <rect
        x={x}
        y={y}
        width={CELL}
        height={CELL}
        rx={3}
        fill={outcome === null ? "var(--mui-palette-action-hover)" : colour(outcome)}
        fillOpacity={outcome === "pending" ? 0.35 : 1}
      />
      {outcome !== null && SIGNS[outcome] !== "" && (
        <text
          x={x + CELL / 2}
          y={y + CELL / 2 + 4}
          textAnchor="middle"
          fontSize={12}
          fontWeight={700}
          fill="var(--mui-palette-background-paper)"
          pointerEvents="none"
        >
          {SIGNS[outcome]}
        </text>
      )}
    </g>
  );
}

function title(hour: Hour, run: Run | null): string {
  const at = instant(hour.at, "UTC");
  if (run === null) return `${at}: nothing on record`;
  return `${at}: ${run.proven}${run.reason === null ? "" : `, ${run.reason}`}`;
}

function useColour(): (outcome: Outcome) => string {
  const theme = useTheme();
  return (outcome) =>
    outcome === "pending"
      ? "var(--mui-palette-info-main)"
      : `var(--mui-palette-provenance-${outcome}, ${theme.palette.provenance[outcome]})`;
}

function Legend() {
  const colour = useColour();
  return (
    <Stack direction="row" spacing={1.5} useFlexGap sx={{ flexWrap: "wrap" }}>
      {OUTCOMES.map((each) => (
        <Stack key={each} direction="row" spacing={0.5} sx={{ alignItems: "center" }}>
          <Box
            aria-hidden
            sx={{
              width: 14,
              height: 14,
              borderRadius: 0.5,
              bgcolor: colour(each),
              opacity: each === "pending" ? 0.5 : 1,
              color: "background.paper",
              fontSize: 11,
              fontWeight: 700,
              lineHeight: "14px",
              textAlign: "center",
            }}
          >
            {SIGNS[each]}
          </Box>
          <Typography variant="caption">{each}</Typography>
        </Stack>
      ))}
    </Stack>
  );
}
