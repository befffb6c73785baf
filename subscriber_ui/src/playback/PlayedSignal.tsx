import { useCallback, useMemo, useState } from "react";

import { asking, askRange, type PlaybackRange, type Played, type Signal } from "./asking";
import { Choices, RANGES, type RangeDays } from "./Choices";
import { HOUR } from "./player";
import { playbackRoute } from "./routes";
import { type PlaybackSearch, seconds, written } from "./search";
import { Screen } from "./Screen";
import { useStage } from "./usePlayer";

const DAY = 24 * HOUR;
const DAYS_BY_DEFAULT: RangeDays = 90;
const HOURS_AT_MOST = 8_760;

interface Props {
  signal: Signal;
  range: PlaybackRange & { until: string };
  fallback: { symbol: string; horizon: number };
}

/** A playback as its address describes it. */
export function PlayedSignal({ signal, range, fallback }: Props) {
  const search = playbackRoute.useSearch();
  const navigate = playbackRoute.useNavigate();
  const change = useCallback(
    (to: Partial<PlaybackSearch>) =>
      void navigate({
        search: (before: PlaybackSearch) => ({ ...before, ...to }),
        replace: true,
        resetScroll: false,
      }),
    [navigate],
  );

  const until = seconds(range.until);
  const hasReplays = range.first_slots.some(({ provenance }) => HYPOTHETICAL.has(provenance));
  const symbol = search.symbol ?? fallback.symbol;
  const horizon = search.horizon ?? fallback.horizon;
  const [begin] = useState(() => beginOf(search, until)); // not moved by what is shown
  const from = search.from === undefined ? begin : within(seconds(search.from), until);
  const replays = range.entitled && hasReplays && search.replays !== false;
  const { provider, name } = signal;
  const played = useMemo<Played>(
    () => ({ provider, name, symbol, horizon, from, replays }),
    [provider, name, symbol, horizon, from, replays],
  );
  const ask = useMemo(() => asking(played), [played]);
  const bounds = { from, until, decidedAfter: range.live_deadline_minutes * 60 };
  const shown = search.t === undefined ? until : seconds(search.t);
  const stage = useStage(bounds, ask, search.speed ?? 6, shown);

  const toNewest = useCallback(() => {
    stage.player.pause();
    stage.player.seek(stage.player.bounds.until, performance.now());
    askRange(provider, name)
      .then((newer) => {
        if (newer.until === null) return;
        stage.player.extend(seconds(newer.until));
        stage.player.seek(stage.player.bounds.until, performance.now());
      })
      .catch(() => undefined); // what was newest is shown; the button is there to try again
  }, [stage, provider, name]);

  return (
    <Screen
      stage={stage}
      played={played}
      search={search}
      entitled={range.entitled}
      isSample={signal.is_sample_data}
      toNewest={toNewest}
      change={change}
      choices={
        <Choices
          symbols={signal.symbols}
          symbol={symbol}
          horizons={signal.horizons_hours}
          horizon={horizon}
          hours={search.hours ?? 168}
          range={rangeOf(from, until)}
          replays={range.entitled && hasReplays ? replays : null}
          onChange={({ range: days, replays: shownToo, ...rest }) =>
            change({
              ...rest,
              ...(days === undefined ? {} : { from: written(until - days * DAY) }),
              ...(shownToo === undefined ? {} : { replays: shownToo ? undefined : false }),
            })
          }
        />
      }
    />
  );
}

const HYPOTHETICAL = new Set(["replayed", "backfilled"]);

/** Where the range begins if its address does not say: before what is shown, too. */
function beginOf(search: PlaybackSearch, until: number): number {
  const chosen = until - DAYS_BY_DEFAULT * DAY;
  const shown = search.t === undefined ? until : seconds(search.t);
  return within(shown < chosen ? shown - 30 * DAY : chosen, until);
}

/** A year before its end at most, and a day at least. */
function within(from: number, until: number): number {
  return Math.min(Math.max(from, until - HOURS_AT_MOST * HOUR), until - DAY);
}

function rangeOf(from: number, until: number): RangeDays | null {
  const days = Math.round((until - from) / DAY);
  return (
    (Object.keys(RANGES)
      .map(Number)
      .find((each) => each === days) as RangeDays | null) ?? null
  );
}
