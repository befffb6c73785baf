import Image from "@mui/icons-material/ImageOutlined";
import Alert from "@mui/material/Alert";
import Box from "@mui/material/Box";
import Button from "@mui/material/Button";
import Chip from "@mui/material/Chip";
import Link from "@mui/material/Link";
import Skeleton from "@mui/material/Skeleton";
import Stack from "@mui/material/Stack";
import Typography from "@mui/material/Typography";
import { type ReactNode, useCallback, useEffect, useRef } from "react";

import type { PriceChart } from "../charts/priceChart";
import { CodeTabs } from "../elements/CodeTabs";
import { download } from "../elements/csv";
import { DownloadButton } from "../elements/DownloadButton";
import { ErrorState } from "../elements/ErrorState";
import { notify } from "../elements/notices";
import { instant, useZone } from "../format/instants";
import { pathOf, type Played, pythonOf } from "./asking";
import { ChartPanel } from "./ChartPanel";
import { useKeys } from "./keys";
import { Readout } from "./Readout";
import { ScoreStrip } from "./ScoreStrip";
import type { PlaybackSearch } from "./search";
import { written } from "./search";
import { tableOf } from "./table";
import { Transport } from "./Transport";
import { type Stage, usePlayerState } from "./usePlayer";
import { momentOf, summaryOf } from "./words";

const SETTLED_MS = 400;
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
  const { shown, playing, error } = usePlayerState(stage);
  const zone = useZone();
  const chart = useRef<PriceChart>(null);
  const keepChart = useCallback((made: PriceChart | null) => {
    chart.current = made;
  }, []);
  useKeys(stage, toNewest);
  useSettled(stage, search.t, change);

  const { record, bounds } = stage.player;
  const at = shown ?? bounds.until;
  const hours = search.hours ?? 168;
  const moment = momentOf(record, at);
  const published = record.scores.published.until(at);
  const hypothetical = record.scores.hypothetical.until(at);
  const isPrice = moment.newest?.isPrice ?? false;
  const summary = summaryOf(moment, played.symbol, record, zone);
  const ahead = published.resolved > 0 ? published : hypothetical;
  const file = `${played.name}-${played.symbol}-${played.horizon}h-${written(at).replaceAll(":", "")}`;

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
          summary={summary}
        />
        {shown === null && (
          <Skeleton variant="rounded" sx={{ position: "absolute", inset: 0, height: "100%" }} />
        )}
      </Box>
      <Typography variant="caption" color="textSecondary" component="p" sx={{ my: 0.5 }}>
        Line: what was forecast for each hour, with its outermost quantiles. Cone: the newest
        forecast. Crosses: missed slots.{" "}
        <Link href="https://www.tradingview.com/" target="_blank" rel="noreferrer">
          Charts by TradingView
        </Link>
      </Typography>
      <Transport
        stage={stage}
        best={ahead.best}
        worst={ahead.worst}
        onNewest={toNewest}
        onSpeed={(speed) => {
          stage.player.setSpeed(speed, performance.now());
          change({ speed });
        }}
      />
      <Box aria-live="polite" sx={UNSEEN}>
        {playing || shown === null ? "" : summary}
      </Box>
      <Box sx={{ my: 2.5 }}>
        <Readout moment={moment} record={record} />
      </Box>
      <Stack spacing={2.5} sx={{ mb: 2.5 }}>
        <ScoreStrip
          title="Live and late, from the range's begin to this instant"
          score={published}
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
      <Stack direction="row" useFlexGap spacing={1} sx={{ flexWrap: "wrap", mb: 1 }}>
        <DownloadButton
          file={`${file}.csv`}
          content={() => tableOf(record, at, hours, played.horizon)}
        />
        <Button size="small" startIcon={<Image />} onClick={() => saveImage(chart.current, file)}>
          PNG
        </Button>
      </Stack>
      <CodeTabs
        name="What is shown, by the API"
        path={pathOf(played, at)}
        python={pythonOf(played, at)}
      />
    </div>
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
function useSettled(stage: Stage, t: string | undefined, change: Props["change"]): void {
  const { shown, playing } = usePlayerState(stage);
  useEffect(() => {
    if (shown === null || playing) return undefined;
    const to = shown === stage.player.bounds.until ? undefined : written(shown);
    if (to === t) return undefined;
    const timer = setTimeout(() => change({ t: to }), SETTLED_MS);
    return () => clearTimeout(timer);
  }, [stage, shown, playing, t, change]);
}

function saveImage(chart: PriceChart | null, file: string): void {
  chart?.image().toBlob((image) => {
    if (image === null) notify("The browser made no image of the chart.", "error");
    else download(`${file}.png`, image, "image/png");
  });
}
