import Alert from "@mui/material/Alert";
import Box from "@mui/material/Box";
import Chip from "@mui/material/Chip";
import Link from "@mui/material/Link";
import Skeleton from "@mui/material/Skeleton";
import Stack from "@mui/material/Stack";
import Typography from "@mui/material/Typography";
import { type ReactNode, useCallback, useEffect, useId, useRef } from "react";

import type { PriceChart } from "../charts/priceChart";
import { ErrorState } from "../elements/ErrorState";
import { instant, useZone } from "../format/instants";
import type { Played } from "./asking";
import { ChartPanel } from "./ChartPanel";
import { useKeys } from "./keys";
import { Readout } from "./Readout";
import { ScoreStrip } from "./ScoreStrip";
import { Sharing } from "./Sharing";
import type { PlaybackSearch } from "./search";
import { written } from "./search";
import { Transport } from "./Transport";
import { type Stage, usePlayerValue, useSettledInstant } from "./usePlayer";
import { momentOf, summaryOf } from "./words";

/** Read aloud, not shown. */
const UNSEEN = {
  position: "absolute",
  width: "1px",
  height: "1px",
  overflow: "hidden",
  clipPath: "inset(50%)",
};

interface Props {
  stage: Stage;
  played: Played;
  search: PlaybackSearch;
  entitled: boolean;
  isSample: boolean;
  toNewest: () => void;
  change: (to: Partial<PlaybackSearch>) => void;
  choices: ReactNode;
}

/** The chart of an instant, what moves it, and what it tells. */
export function Screen(props: Props) {
  const { stage, played, search, entitled, isSample, toNewest, change, choices } = props;
  const error = usePlayerValue(stage, (state) => state.error);
  const isEmpty = usePlayerValue(stage, (state) => state.shown === null);
  const settled = useSettledInstant(stage);
  const zone = useZone();
  const told = useId();
  const chart = useRef<PriceChart>(null);
  const keepChart = useCallback((made: PriceChart | null) => {
    chart.current = made;
  }, []);
  useKeys(stage, toNewest);
  useAddress(stage, search.t, change);

  const { record, bounds } = stage.player;
  const hours = search.hours ?? 168;
  return (
    <div>
      {choices}
      {!entitled && (
        <Alert severity="info" variant="outlined" sx={{ mb: 2 }}>
          You see what is revealed, up to {instant(bounds.until * 1000, zone)}. Subscribers play to
          the present hour.
        </Alert>
      )}
      {error !== null && (
        <Box sx={{ mb: 2 }}>
          <ErrorState error={error} retry={() => stage.player.retry(performance.now())} />
        </Box>
      )}
      <Shown stage={stage} isSample={isSample} />
      <Box sx={{ position: "relative" }}>
        <ChartPanel
          stage={stage}
          horizon={played.horizon}
          hours={hours}
          onChart={keepChart}
          name={`Prices of ${played.symbol} and forecasts ${played.horizon} h ahead`}
          describedBy={told}
        />
        {isEmpty && (
          <Skeleton variant="rounded" sx={{ position: "absolute", inset: 0, height: "100%" }} />
        )}
      </Box>
      <Typography variant="caption" color="textSecondary" component="p" sx={{ my: 0.5 }}>
        Hollow: up, filled: down. Line: what was forecast for each hour, with its outermost
        quantiles. Cone: the newest forecast. Crosses: missed slots.{" "}
        <Link
          href="https://www.tradingview.com/"
          target="_blank"
          rel="noreferrer"
          underline="always"
        >
          Charts by TradingView
        </Link>
      </Typography>
      <Transport
        stage={stage}
        onNewest={toNewest}
        onSpeed={(speed) => {
          stage.player.setSpeed(speed, performance.now());
          change({ speed });
        }}
      />
      <Box id={told} aria-live="polite" sx={UNSEEN}>
        {settled !== null && summaryOf(momentOf(record, settled), played.symbol, record, zone)}
      </Box>
      <Telling stage={stage} />
      {settled !== null && (
        <Sharing record={record} played={played} at={settled} hours={hours} chart={chart} />
      )}
    </div>
  );
}

/** What the instant shown tells, in words and numbers. */
function Telling({ stage }: { stage: Stage }) {
  const { record, bounds } = stage.player;
  const at = usePlayerValue(stage, (state) => state.shown) ?? bounds.from;
  const moment = momentOf(record, at);
  const hypothetical = record.scores.hypothetical.until(at);
  const isPrice = moment.newest?.isPrice ?? false;
  return (
    <>
      <Box sx={{ my: 2.5 }}>
        <Readout moment={moment} record={record} />
      </Box>
      <Stack spacing={2.5} sx={{ mb: 2.5 }}>
        <ScoreStrip
          title="Live and late, from the start of the range to this instant"
          score={record.scores.published.until(at)}
          isPrice={isPrice}
        />
        {hypothetical.made > 0 && (
          <>
            <ScoreStrip
              title="Replayed and backfilled, hypothetical"
              score={hypothetical}
              isPrice={isPrice}
            />
            <Alert severity="warning" variant="outlined">
              Hypothetical results: replayed and backfilled forecasts were computed later over past
              data. Nobody could have read or traded them then, and they say little of what is to
              come.
            </Alert>
          </>
        )}
      </Stack>
    </>
  );
}

/** The instant shown, written by each frame itself. */
function Shown({ stage, isSample }: { stage: Stage; isSample: boolean }) {
  const line = useRef<HTMLDivElement>(null);
  const text = useRef<HTMLSpanElement>(null);
  const zone = useZone();
  useEffect(
    () =>
      stage.onFrame(({ state }) => {
        if (state.shown === null) return;
        line.current?.setAttribute("data-instant", written(state.shown));
        if (text.current !== null) text.current.textContent = instant(state.shown * 1000, zone);
      }),
    [stage, zone],
  );
  return (
    <Stack
      ref={line}
      data-testid="playback"
      direction="row"
      useFlexGap
      spacing={1}
      sx={{ alignItems: "center", flexWrap: "wrap", mb: 1, minHeight: 28 }}
    >
      <Typography
        component="span"
        ref={text}
        sx={{ fontSize: "1.1rem", fontWeight: 620, fontVariantNumeric: "tabular-nums" }}
      />
      {isSample && <Chip size="small" color="warning" variant="outlined" label="sample data" />}
    </Stack>
  );
}

/** The address follows what is shown, once it stands still. */
function useAddress(stage: Stage, t: string | undefined, change: Props["change"]): void {
  const settled = useSettledInstant(stage);
  useEffect(() => {
    if (settled === null) return;
    const to = settled === stage.player.bounds.until ? undefined : written(settled);
    if (to !== t) change({ t: to });
  }, [stage, settled, t, change]);
}
