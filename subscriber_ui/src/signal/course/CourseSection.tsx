import ImageOutlined from "@mui/icons-material/ImageOutlined";
import Box from "@mui/material/Box";
import Button from "@mui/material/Button";
import FormControlLabel from "@mui/material/FormControlLabel";
import Switch from "@mui/material/Switch";
import Typography from "@mui/material/Typography";
import { useRef, useState } from "react";

import type { Schemas } from "../../api/client";
import { csv } from "../../elements/csv";
import { DownloadButton } from "../../elements/DownloadButton";
import { EmptyState } from "../../elements/EmptyState";
import { HypotheticalNotice } from "../../elements/HypotheticalNotice";
import { Section } from "../../elements/Section";
import { change, count, percent } from "../../format/numbers";
import { CourseChart } from "./CourseChart";
import { saveImage } from "./saveImage";
import { pointsOf, type Point } from "./series";

interface Props {
  signal: string;
  curves: Schemas["Curves"] | null | undefined;
}

/** The trading rule's return and drawdown over time: live, and apart from it what was run afterwards. */
export function CourseSection({ signal, curves }: Props) {
  const chart = useRef<HTMLDivElement>(null);
  const live = curves == null ? [] : pointsOf(curves, "live");
  const afterwards = curves == null ? [] : pointsOf(curves, "afterwards");
  const [wanted, setWanted] = useState<boolean | null>(null);
  const [point, setPoint] = useState<Point | null>(null);
  // Where nothing was live yet, the hypothetical course is all there is; it says so.
  const isShown = afterwards.length > 0 && (wanted ?? live.length === 0);
  const parts = isShown ? [afterwards, live] : [live];
  const points = parts.flat();
  const file = signal.replace("/", "-");
  return (
    <Section
      title="Return and drawdown"
      lead="Of the declared trading rule after costs, by UTC day."
      actions={
        points.length > 0 && (
          <Box sx={{ display: "flex", flexWrap: "wrap", alignItems: "center", gap: 0.5 }}>
            {afterwards.length > 0 && (
              <FormControlLabel
                control={
                  <Switch
                    size="small"
                    checked={isShown}
                    onChange={(event) => setWanted(event.target.checked)}
                  />
                }
                label="Hypothetical"
                slotProps={{ typography: { variant: "body2" } }}
              />
            )}
            <DownloadButton file={`${file}-course.csv`} content={() => asCsv(points)} />
            <Button
              size="small"
              startIcon={<ImageOutlined />}
              onClick={() =>
                saveImage(chart.current, `${file}-course.svg`, captionsOf(signal, isShown))
              }
            >
              Image
            </Button>
          </Box>
        )
      }
    >
      {isShown && <HypotheticalNotice />}
      {points.length === 0 ? (
        <EmptyState title="No day to draw yet">
          The rule trades from the hour after the first live slot on; measures are computed once an
          hour.
        </EmptyState>
      ) : (
        <>
          <Readout
            point={point}
            live={live.at(-1)}
            afterwards={isShown ? afterwards.at(-1) : undefined}
          />
          <Box ref={chart}>
            <CourseChart
              parts={parts}
              summary={summaryOf(live, isShown ? afterwards : [])}
              onPoint={setPoint}
            />
          </Box>
        </>
      )}
    </Section>
  );
}

const NAMES = { live: "live", afterwards: "replayed and backfilled, hypothetical" };

interface ReadoutProps {
  point: Point | null;
  live: Point | undefined;
  afterwards: Point | undefined;
}

/** The point under the pointer, else where each course ends. */
function Readout({ point, live, afterwards }: ReadoutProps) {
  const shown = point === null ? [live, afterwards].filter((each) => each !== undefined) : [point];
  return (
    <Box
      sx={{ minHeight: { xs: 64, sm: 24 }, display: "flex", flexWrap: "wrap", columnGap: 3 }}
      aria-live="off"
    >
      {shown.map((each) => (
        <Typography key={each.part} variant="body2" sx={{ fontVariantNumeric: "tabular-nums" }}>
          <Box component="span" aria-hidden sx={key(each.part)} />
          {NAMES[each.part]} · {each.day} UTC · return <strong>{change(each.earned)}</strong> ·
          drawdown <strong>{percent(each.fell, 2)}</strong> · {count(each.slots)} scored slots
        </Typography>
      ))}
    </Box>
  );
}

function key(part: Point["part"]) {
  const color = part === "live" ? "provenance-live" : "provenance-backfilled";
  return {
    display: "inline-block",
    width: 18,
    mr: 1,
    verticalAlign: "middle",
    borderTop: `2px ${part === "live" ? "solid" : "dashed"} var(--mui-palette-${color})`,
  };
}

function summaryOf(live: Point[], afterwards: Point[]): string {
  const told = [live, afterwards].flatMap((points) => {
    const [first, last] = [points[0], points.at(-1)];
    if (first === undefined || last === undefined) return [];
    const worst = Math.max(...points.map((point) => point.fell));
    return [
      `${NAMES[last.part]}: from ${first.day} to ${last.day} a return of ${change(last.earned)},` +
        ` worst drawdown ${percent(worst)}`,
    ];
  });
  return `Return and drawdown by day. ${told.join(". ")}. Arrow keys go from day to day; the CSV has every number.`;
}

/** What an image says by itself, wherever it goes. */
function captionsOf(signal: string, isHypothetical: boolean): string[] {
  const what = `${signal}: trading rule after costs, by UTC day`;
  return isHypothetical
    ? [
        what,
        "Dashed: hypothetical, computed after the fact;",
        "nobody could have read those forecasts.",
      ]
    : [what];
}

function asCsv(points: Point[]): string {
  return csv(
    ["part", "day", "total_return", "drawdown", "scored_slots"],
    points.map(({ part, day, earned, fell, slots }) => [part, day, earned, fell, slots]),
  );
}
