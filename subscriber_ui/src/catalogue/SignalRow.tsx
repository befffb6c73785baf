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
import { count, money, percent } from "../format/numbers";
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
          <Tooltip describeChild title={headline.reasons["skill"] ?? ""}>
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
  const isUnknown = headline.so_far["total_return"]?.value == null;
  const hasOther = headline.afterwards["total_return"]?.value != null;
  return (
    <Box
      sx={{
        display: "grid",
        gap: 2,
        alignItems: "start",
        gridTemplateColumns: { xs: "1fr 1fr", sm: "repeat(5, minmax(0, 1fr))" },
        "& > *": { minWidth: 0 },
      }}
    >
      <LiveRecord headline={headline} />
      {isUnknown && hasOther ? (
        <Afterwards headline={headline} />
      ) : (
        <SoFar soFar={headline.so_far} />
      )}
      <Figure
        label="Price a month"
        value={priceOf(offer)}
        reason="The provider has no offer now."
        note={
          offer != null && offer.trial_days > 0 ? `${offer.trial_days} days of trial` : undefined
        }
      />
    </Box>
  );
}

function SoFar({ soFar }: { soFar: Signal["headline"]["so_far"] }) {
  const { skill_with_misses, sharpe, total_return, max_drawdown } = soFar;
  return (
    <>
      <MeasureFigure
        metric="skill_with_misses"
        label="Skill"
        measure={skill_with_misses}
        note={skill_with_misses?.value == null ? undefined : SIDES[sideOf(skill_with_misses)]}
      />
      <MeasureFigure
        metric="total_return"
        label="Return"
        measure={total_return}
        note={worst(max_drawdown)}
      />
      <MeasureFigure metric="sharpe" label="Sharpe ratio" measure={sharpe} />
    </>
  );
}

/** While nothing was scored live: what was computed afterwards, apart and by its name. */
function Afterwards({ headline }: { headline: Signal["headline"] }) {
  const { total_return, max_drawdown, sharpe } = headline.afterwards;
  return (
    <Box
      role="group"
      aria-label="Hypothetical, run afterwards"
      sx={{
        gridColumn: { xs: "1 / -1", sm: "span 3" },
        order: { xs: 1, sm: 0 },
        border: "1px dashed",
        borderColor: "divider",
        borderRadius: 1,
        px: 1.5,
        py: 1,
        mt: { sm: -1 },
      }}
    >
      <Typography variant="caption" color="textSecondary" component="p" sx={{ mb: 0.5 }}>
        <strong>Hypothetical</strong>: {count(total_return?.count ?? 0)} hours run afterwards.
        Nobody could have read those forecasts then.
      </Typography>
      <Box sx={{ display: "grid", gap: 2, gridTemplateColumns: "1fr 1fr" }}>
        <MeasureFigure
          metric="total_return"
          label="Return"
          measure={total_return}
          note={worst(max_drawdown)}
        />
        <MeasureFigure metric="sharpe" label="Sharpe ratio" measure={sharpe} />
      </Box>
    </Box>
  );
}

function LiveRecord({ headline }: { headline: Signal["headline"] }) {
  const zone = useZone();
  const since = headline.live_since;
  return (
    <Figure
      label="Live record"
      value={
        since === null
          ? "none yet"
          : `${count(headline.live_slots)} ${headline.live_slots === 1 ? "slot" : "slots"}`
      }
      note={
        since === null ? "no slot scored live" : `since ${day(since, zone)} (${zoneName(zone)})`
      }
    />
  );
}

function worst(fell: Schemas["Measure"] | undefined): string | undefined {
  return fell?.value == null ? undefined : `worst fall ${percent(fell.value)}`;
}

function priceOf(offer: Signal["offer"]): string | null {
  if (offer == null) return null;
  return offer.amount_minor === 0 ? "Free" : money(offer.amount_minor, offer.currency);
}
