import Box from "@mui/material/Box";
import { type KeyboardEvent, type PointerEvent, useRef, useState } from "react";

import { change, percent } from "../../format/numbers";
import { days, linear } from "./scale";
import { nearest, type Part, type Point } from "./series";
import { useWidth } from "./useWidth";

const LEFT = 58;
const RIGHT = 12;
const TOP = 24;
const EARNED_HEIGHT = 190;
const GAP = 34;
const FELL_HEIGHT = 80;
const BOTTOM = 24;
const HEIGHT = TOP + EARNED_HEIGHT + GAP + FELL_HEIGHT + BOTTOM;

const STROKES: Record<Part, { color: string; dash?: string }> = {
  live: { color: "var(--mui-palette-provenance-live)" },
  afterwards: { color: "var(--mui-palette-provenance-backfilled)", dash: "5 4" },
};

interface Props {
  /** Each by day; at least one has points. */
  parts: Point[][];
  /** What the chart says, for those who do not see it. */
  summary: string;
  onPoint: (point: Point | null) => void;
}

/** Return above, drawdown below, on one axis of days. */
export function CourseChart({ parts, summary, onPoint }: Props) {
  const box = useRef<HTMLDivElement>(null);
  const width = useWidth(box);
  const [shown, setShown] = useState<Point | null>(null);
  const all = parts.flat();
  const sorted = [...all].sort((a, b) => a.at - b.at);
  const first = sorted[0];
  const last = sorted.at(-1);
  if (first === undefined || last === undefined) return null;
  const x = days(first.day, last.day, LEFT, width - RIGHT);
  const earned = all.map((point) => point.earned);
  const y = linear(Math.min(0, ...earned), Math.max(0, ...earned), TOP + EARNED_HEIGHT, TOP);
  const below = TOP + EARNED_HEIGHT + GAP;
  const fell = linear(
    0,
    Math.max(0.001, ...all.map((point) => point.fell)),
    below,
    below + FELL_HEIGHT,
    2,
  );

  const show = (point: Point | undefined) => {
    setShown(point ?? null);
    onPoint(point ?? null);
  };
  const pointAt = (event: PointerEvent) => {
    const left = box.current?.getBoundingClientRect().left ?? 0;
    const share = (event.clientX - left - LEFT) / (width - RIGHT - LEFT);
    show(nearest(all, first.at + share * (last.at - first.at)));
  };
  const step = (event: KeyboardEvent) => {
    const moves: Record<string, number> = { ArrowLeft: -1, ArrowRight: 1 };
    const now = sorted.findIndex((point) => point.part === shown?.part && point.day === shown.day);
    const ends: Record<string, number> = {
      Home: 0,
      End: sorted.length - 1,
      ...(now < 0 && { ArrowLeft: sorted.length - 1, ArrowRight: 0 }),
    };
    const to = ends[event.key] ?? (event.key in moves ? now + (moves[event.key] ?? 0) : null);
    if (to === null) return;
    event.preventDefault();
    show(sorted[Math.max(0, Math.min(sorted.length - 1, to))]);
  };

  return (
    <Box
      ref={box}
      tabIndex={0}
      role="img"
      aria-label={summary}
      onPointerMove={pointAt}
      onPointerLeave={() => show(undefined)}
      onKeyDown={step}
      onBlur={() => show(undefined)}
      sx={{ touchAction: "pan-y", height: HEIGHT }}
    >
      <svg width={width} height={HEIGHT} aria-hidden>
        <g fontSize={11} fill="var(--mui-palette-text-secondary)" stroke="none">
          {y.ticks.map((tick) => (
            <Grid
              key={tick}
              y={y.at(tick)}
              width={width}
              label={change(tick, 0)}
              strong={tick === 0}
            />
          ))}
          {fell.ticks.map((tick) => (
            <Grid
              key={tick}
              y={fell.at(tick)}
              width={width}
              label={tick === 0 ? "0 %" : `-${percent(tick, tick < 0.05 ? 1 : 0)}`}
              strong={tick === 0}
            />
          ))}
          {x.ticks.map((tick, at) => (
            <text
              key={tick}
              x={x.at(tick)}
              y={HEIGHT - 6}
              textAnchor={at === 0 ? "start" : at === x.ticks.length - 1 ? "end" : "middle"}
            >
              {new Date(tick).toISOString().slice(0, 10)}
            </text>
          ))}
          <text x={LEFT} y={TOP - 10} fontWeight={600}>
            return
          </text>
          <text x={LEFT} y={below - 10} fontWeight={600}>
            drawdown
          </text>
        </g>
        {parts.map((points) => {
          const part = points[0]?.part;
          if (part === undefined) return null;
          const { color, dash } = STROKES[part];
          const line = points.map((p) => `${x.at(p.at)},${y.at(p.earned)}`).join(" ");
          const fall = points.map((p) => `${x.at(p.at)},${fell.at(p.fell)}`);
          const ends = [points[0], points.at(-1)].map((p) => x.at(p?.at ?? 0));
          const area = [`${ends[0] ?? 0},${fell.at(0)}`, ...fall, `${ends[1] ?? 0},${fell.at(0)}`];
          return (
            <g key={part} fill="none" stroke={color} strokeDasharray={dash} strokeLinejoin="round">
              <polyline points={line} strokeWidth={2} />
              <polygon points={area.join(" ")} fill={color} fillOpacity={0.16} stroke="none" />
              <polyline points={fall.join(" ")} strokeWidth={1.5} />
              {points.length === 1 && points[0] !== undefined && (
                <circle cx={x.at(points[0].at)} cy={y.at(points[0].earned)} r={3} fill={color} />
              )}
            </g>
          );
        })}
        {shown !== null && (
          <g stroke="var(--mui-palette-text-secondary)" fill="var(--mui-palette-background-paper)">
            <line x1={x.at(shown.at)} x2={x.at(shown.at)} y1={TOP} y2={below + FELL_HEIGHT} />
            <circle cx={x.at(shown.at)} cy={y.at(shown.earned)} r={4} strokeWidth={2} />
            <circle cx={x.at(shown.at)} cy={fell.at(shown.fell)} r={4} strokeWidth={2} />
          </g>
        )}
      </svg>
    </Box>
  );
}

interface GridProps {
  y: number;
  width: number;
  label: string;
  strong: boolean;
}

function Grid({ y, width, label, strong }: GridProps) {
  return (
    <>
      <line
        x1={LEFT}
        x2={width - RIGHT}
        y1={y}
        y2={y}
        stroke={strong ? "var(--mui-palette-text-secondary)" : "var(--mui-palette-divider)"}
      />
      <text x={LEFT - 8} y={y + 4} textAnchor="end">
        {label}
      </text>
    </>
  );
}
