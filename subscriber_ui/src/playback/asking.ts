/** Questions to the API, and how they are written for others to ask. */

import { answer, api, type Schemas } from "../api/client";
import type { Ask } from "./player";
import { written } from "./search";

export type PlaybackRange = Schemas["PlaybackRange"];
export type Signal = Schemas["Signal"];

export interface Played {
  provider: string;
  name: string;
  symbol: string;
  horizon: number;
  from: number;
  replays: boolean;
}

export function askSignal(provider: string, name: string): Promise<Signal> {
  const path = { provider, name };
  return answer(api.GET("/v1/signals/{provider}/{name}", { params: { path } }));
}

export function askRange(provider: string, name: string): Promise<PlaybackRange> {
  const path = { provider, name };
  return answer(api.GET("/v1/signals/{provider}/{name}/playback/range", { params: { path } }));
}

export function asking(played: Played): Ask {
  const path = { provider: played.provider, name: played.name };
  return (at, since) => {
    const query = { ...queryOf(played, at), ...(since === null ? {} : { since: written(since) }) };
    return answer(api.GET("/v1/signals/{provider}/{name}/playback", { params: { path, query } }));
  };
}

/** The address that gives all that is shown at an instant. */
export function pathOf(played: Played, at: number): string {
  const query = new URLSearchParams(
    Object.entries(queryOf(played, at)).map(([name, value]) => [name, String(value)]),
  );
  return `/v1/signals/${played.provider}/${played.name}/playback?${query}`;
}

export function pythonOf(played: Played, at: number): string {
  return [
    "import os, httpx",
    "",
    "answer = httpx.get(",
    `    "${location.origin}/v1/signals/${played.provider}/${played.name}/playback",`,
    `    params=${JSON.stringify(queryOf(played, at))},`,
    '    headers={"Authorization": f"Bearer {os.environ[\'SIGNALBOX_API_KEY\']}"},',
    ").raise_for_status().json()",
    'print(answer["at"], len(answer["bars"]["close"]), len(answer["forecasts"]["point"]))',
  ].join("\n");
}

function queryOf(played: Played, at: number) {
  return {
    at: written(at),
    from: written(played.from),
    symbol: played.symbol,
    horizon: played.horizon,
    provenance: played.replays ? "live,late,replayed,backfilled" : "live,late",
  };
}
