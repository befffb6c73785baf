import Box from "@mui/material/Box";
import Typography from "@mui/material/Typography";

import { duration } from "../format/durations";
import { instant, useZone } from "../format/instants";
import type { Tick } from "./health";
import { type Hour, hoursUpTo, inWords } from "./hours";

const HEIGHT = 110;
/** Bars end here: an hour caught up after an outage must not flatten the others. */
const TOP_SECONDS = 600;

/** How long each tick took; a letter over the bar says that slots of it were late or missed. */
export function TickChart({ ticks, at }: { ticks: Tick[]; at: string }) {
  const hours = hoursUpTo(at, ticks);
  const slowest = Math.max(1, ...ticks.map((tick) => tick.seconds));
  const top = Math.min(slowest, TOP_SECONDS);
  return (
    <Box component="figure" sx={{ m: 0 }}>
      <Box
        role="img"
        aria-label={inWords(hours)}
        tabIndex={0}
        // Reversed twice, so that a narrow screen shows the newest hour first.
        sx={{ display: "flex", flexDirection: "row-reverse", overflowX: "auto", pb: 0.5 }}
      >
        {hours.toReversed().map((hour) => (
          <Column key={hour.as_of} hour={hour} top={top} />
        ))}
      </Box>
      <Typography variant="caption" color="textSecondary" component="figcaption">
        Time from the hour to its last record; the highest bar is {duration(top)}
        {slowest > top && ", ↑: longer"}. L: slots of it were late, M: missed; a dot: no record.
      </Typography>
    </Box>
  );
}

function Column({ hour, top }: { hour: Hour; top: number }) {
  const zone = useZone();
  const when = instant(hour.as_of, zone);
  const { tick } = hour;
  return (
    <Box
      title={`${when}: ${tick === null ? "no record" : described(tick)}`}
      sx={{ flex: "1 0 22px", textAlign: "center" }}
    >
      <Box
        sx={{
          height: HEIGHT + 20,
          display: "flex",
          flexDirection: "column",
          justifyContent: "flex-end",
          alignItems: "center",
          borderBottom: 1,
          borderColor: "divider",
        }}
      >
        {tick === null ? (
          <Box sx={{ color: "text.secondary", lineHeight: 1.2 }}>•</Box>
        ) : (
          <Bar tick={tick} top={top} />
        )}
      </Box>
      <Typography variant="caption" color="textSecondary">
        {when.slice(11, 13)}
      </Typography>
    </Box>
  );
}

function Bar({ tick, top }: { tick: Tick; top: number }) {
  const height = Math.max(3, Math.min(1, tick.seconds / top) * HEIGHT);
  const isCut = tick.seconds > top;
  const marks = (isCut ? "↑" : "") + (tick.late > 0 ? "L" : "") + (tick.missed > 0 ? "M" : "");
  const worst = tick.missed > 0 ? "missed" : tick.late > 0 ? "late" : "live";
  const colour = `var(--mui-palette-provenance-${worst})`;
  return (
    <>
      <Box sx={{ color: colour, fontSize: 11, fontWeight: 700, lineHeight: "16px" }}>{marks}</Box>
      <Box
        sx={{
          width: "62%",
          maxWidth: 26,
          height,
          bgcolor: colour,
          borderRadius: "3px 3px 0 0",
        }}
      />
    </>
  );
}

function described(tick: Tick): string {
  return `${duration(tick.seconds)}, ${tick.live} live, ${tick.late} late, ${tick.missed} missed`;
}
