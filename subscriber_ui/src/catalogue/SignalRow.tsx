import Star from "@mui/icons-material/Star";
import StarBorder from "@mui/icons-material/StarBorder";
import Box from "@mui/material/Box";
import Checkbox from "@mui/material/Checkbox";
import Chip from "@mui/material/Chip";
import IconButton from "@mui/material/IconButton";
import Tooltip from "@mui/material/Tooltip";
import Typography from "@mui/material/Typography";

import type { Schemas } from "../api/client";
import { Figure } from "../elements/Figure";
import { MeasureFigure } from "../elements/MeasureFigure";
import { RouterLink } from "../elements/RouterLink";
import { SampleBadge } from "../elements/SampleBadge";
import { StateBadge } from "../elements/StateBadge";
import { day, useZone, zoneName } from "../format/instants";
import { sideOf } from "../format/measures";
import { change, count, money, percent } from "../format/numbers";
import { toggleWatched } from "./watch";

type Signal = Schemas["Signal"];

interface Props {
  signal: Signal;
  isWatched: boolean;
  isPicked: boolean;
  /** Five are chosen already. */
  isFull: boolean;
  onPick: () => void;
}

const SIDES = {
  above: "better than the naive baseline",
  below: "worse than the naive baseline",
  either: "not told apart from the naive baseline",
  unknown: "too few for an interval",
};

/** A signal in the catalogue: whether it is any good, and what it costs, in one look. */
export function SignalRow({ signal, isWatched, isPicked, isFull, onPick }: Props) {
  return (
    <Box
      component="article"
      aria-label={signal.title}
      sx={{
        display: "grid",
        gap: 2,
        p: 2,
        gridTemplateColumns: { xs: "1fr", md: "minmax(260px, 1.4fr) 2fr" },
        borderTop: 1,
        borderColor: "divider",
        "&:hover": { bgcolor: "action.hover" },
      }}
    >
      <Box sx={{ display: "flex", gap: 1, minWidth: 0 }}>
        <Box sx={{ ml: -1, mt: -0.75 }}>
          <Tooltip title={isFull && !isPicked ? "Five are chosen already" : "Compare"}>
            <Checkbox
              size="small"
              checked={isPicked}
              disabled={isFull && !isPicked}
              onChange={onPick}
              slotProps={{ input: { "aria-label": `Compare ${signal.signal}` } }}
            />
          </Tooltip>
          <Tooltip title={isWatched ? "Watched in this browser" : "Watch in this browser"}>
            <IconButton
              size="small"
              aria-label={`Watch ${signal.signal}`}
              aria-pressed={isWatched}
              onClick={() => toggleWatched(signal.signal)}
              sx={{ display: "block", mx: "auto" }}
            >
              {isWatched ? (
                <Star fontSize="small" color="warning" />
              ) : (
                <StarBorder fontSize="small" />
              )}
            </IconButton>
          </Tooltip>
        </Box>
        <About signal={signal} />
      </Box>
      <Figures signal={signal} />
    </Box>
  );
}

function About({ signal }: { signal: Signal }) {
  const { provider, name, headline } = signal;
  const isShort = headline.reasons["skill"]?.includes("too short") === true;
  return (
    <Box sx={{ minWidth: 0 }}>
      <Typography variant="h3" component="h2" sx={{ fontSize: "1rem" }}>
        <RouterLink to="/signals/$provider/$name" params={{ provider, name }} color="inherit">
          {signal.title}
        </RouterLink>
      </Typography>
      <Typography variant="body2" color="textSecondary" sx={{ overflowWrap: "anywhere" }}>
        {signal.signal} · {signal.symbols.join(", ")} · {signal.horizons_hours.join(", ")} h ·{" "}
        {signal.target === "price" ? "prices" : "returns"}
      </Typography>
      {signal.description !== "" && (
        <Typography variant="body2" sx={{ mt: 0.5, maxWidth: 560 }}>
          {signal.description}
        </Typography>
      )}
      <Box sx={{ display: "flex", flexWrap: "wrap", gap: 0.75, mt: 1 }}>
        {signal.state != null && signal.state !== "live" && <StateBadge state={signal.state} />}
        {signal.visibility === "private" && (
          <Chip label="private" size="small" sx={{ height: 22 }} />
        )}
        {isShort && (
          <Tooltip title={headline.reasons["skill"] ?? ""}>
            <Chip
              label="record too short for a rank"
              size="small"
              color="warning"
              variant="outlined"
              tabIndex={0}
              sx={{ height: 22 }}
            />
          </Tooltip>
        )}
        {signal.is_sample_data && <SampleBadge />}
      </Box>
    </Box>
  );
}

function Figures({ signal }: { signal: Signal }) {
  const { headline, offer } = signal;
  const { skill_with_misses, sharpe, total_return, max_drawdown } = headline.so_far;
  const fall =
    max_drawdown?.value == null ? undefined : `worst fall ${percent(max_drawdown.value)}`;
  return (
    <Box>
      <Box
        sx={{
          display: "grid",
          gap: 2,
          gridTemplateColumns: { xs: "1fr 1fr", sm: "repeat(5, minmax(0, 1fr))" },
          "& > *": { minWidth: 0 },
        }}
      >
        <LiveRecord headline={headline} />
        <MeasureFigure
          metric="skill_with_misses"
          label="Skill"
          measure={skill_with_misses}
          note={skill_with_misses?.value == null ? undefined : SIDES[sideOf(skill_with_misses)]}
        />
        <MeasureFigure metric="total_return" label="Return" measure={total_return} note={fall} />
        <MeasureFigure metric="sharpe" label="Sharpe ratio" measure={sharpe} />
        <Figure
          label="Price a month"
          value={
            offer == null
              ? null
              : offer.amount_minor === 0
                ? "Free"
                : money(offer.amount_minor, offer.currency)
          }
          reason="The provider has no offer now."
          note={
            offer != null && offer.trial_days > 0 ? `${offer.trial_days} days of trial` : undefined
          }
        />
      </Box>
      {headline.live_slots < SLOTS_FOR_A_RANK && <Afterwards headline={headline} />}
    </Box>
  );
}

const SLOTS_FOR_A_RANK = 200;

function LiveRecord({ headline }: { headline: Signal["headline"] }) {
  const zone = useZone();
  const since = headline.live_since;
  return (
    <Figure
      label="Live record"
      value={since === null ? null : `${count(headline.live_slots)} slots`}
      reason="No slot was proven live yet."
      note={since === null ? undefined : `since ${day(since, zone)} (${zoneName(zone)})`}
    />
  );
}

/** While there is little else: what was computed afterwards, and that it is no record. */
function Afterwards({ headline }: { headline: Signal["headline"] }) {
  const { total_return, max_drawdown } = headline.afterwards;
  if (total_return?.value == null) return null;
  return (
    <Typography variant="caption" color="textSecondary" component="p" sx={{ mt: 1 }}>
      <strong>Hypothetical</strong>, over {count(total_return.count)} hours run afterwards: return{" "}
      {change(total_return.value, 1)}
      {max_drawdown?.value != null && `, worst fall ${percent(max_drawdown.value)}`}. Nobody could
      have read those forecasts then.
    </Typography>
  );
}
