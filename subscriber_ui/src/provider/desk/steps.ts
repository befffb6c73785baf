/** What the platform has seen of a first signal, step by step. */

import type { Schemas } from "../../api/client";
import type { OwnSignal } from "../queries";

/** `here`: on the provider's own machine, where the platform sees nothing. */
export type Progress = "done" | "now" | "open" | "here";

export interface Seen {
  key: Progress;
  signal: Progress;
  push: Progress;
  building: Progress;
  live: Progress;
  listed: Progress;
}

type ApiKey = Pick<Schemas["ApiKey"], "scopes" | "revoked_at" | "expires_at">;

/** From the keys there are, and the newest signal; `now` in milliseconds. */
export function seen(keys: ApiKey[], signal: OwnSignal | undefined, now: number): Seen {
  const state = signal?.last_push?.state;
  const isLive = (signal?.live_versions.length ?? 0) > 0;
  return {
    key: keys.some((key) => canPush(key, now)) ? "done" : "open",
    signal: signal === undefined ? "open" : "done",
    push: state === undefined ? "open" : "done",
    building: built(state),
    live: isLive ? "done" : "open",
    listed: signal?.visibility === "public" ? "done" : "open",
  };
}

function built(state: Schemas["Push"]["state"] | undefined): Progress {
  if (state === "building") return "now";
  return state === undefined || state === "rejected" ? "open" : "done";
}

function canPush(key: ApiKey, now: number): boolean {
  const isOver = key.expires_at != null && Date.parse(key.expires_at) <= now;
  return key.scopes.includes("push") && key.revoked_at == null && !isOver;
}
