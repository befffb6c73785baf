/** `GET /v1/stream`: what happens, as it happens, without a gap (docs/subscriber/stream.md). */

import { createParser } from "eventsource-parser";
import { useEffect, useEffectEvent, useState } from "react";

import { authorizedFetch, type Schemas } from "../api/client";
import { problemOf } from "../api/problem";

export interface StreamEvent {
  /** `forecast`, `missed`, `version.live`, `subscription.active` ... */
  type: string;
  id: string;
  data: EventData;
}

/** What the types have in common; the rest is the type's own. */
export interface EventData {
  signal: string;
  version?: string;
  as_of?: string;
  available_at?: string;
  reason?: string | null;
  forecasts?: Schemas["Forecast"][];
  [key: string]: unknown;
}

export type Connection = "connecting" | "open" | "waiting";

const FIRST_WAIT_MS = 1_000;
const LONGEST_WAIT_MS = 30_000;

/**
 * Follow the stream until `signal` aborts; after a break it goes on where it was.
 * Never rejects: a refusal that will not pass ends it.
 */
export async function follow(
  signal: AbortSignal,
  told: (event: StreamEvent) => void,
  connection: (state: Connection) => void,
): Promise<void> {
  let after = "";
  let waitMs = FIRST_WAIT_MS;
  while (!signal.aborted) {
    connection("connecting");
    try {
      const response = await open(after, signal);
      connection("open");
      waitMs = FIRST_WAIT_MS;
      await read(response, (event) => {
        after = event.id;
        told(event);
      });
    } catch (error) {
      if (error instanceof Error && "code" in error && error.code === "stream_position_unknown") {
        after = ""; // an older installation's: begin anew
      }
      if (error instanceof Error && "status" in error && error.status === 401) break;
    }
    connection("waiting");
    await pause(waitMs, signal);
    waitMs = Math.min(waitMs * 2, LONGEST_WAIT_MS);
  }
}

/** Hear what happens while the component is shown; tells how the connection is. */
export function useEvents(told: (event: StreamEvent) => void): Connection {
  const [state, setState] = useState<Connection>("connecting");
  const heard = useEffectEvent(told);
  useEffect(() => {
    const ending = new AbortController();
    void follow(ending.signal, (event) => heard(event), setState);
    return () => ending.abort();
  }, []);
  return state;
}

async function open(after: string, signal: AbortSignal): Promise<Response> {
  const headers = after === "" ? undefined : { "Last-Event-ID": after };
  const url = new URL("/v1/stream", location.origin);
  const response = await authorizedFetch(new Request(url, { signal, headers }));
  if (!response.ok) {
    throw problemOf(await response.json().catch(() => null), response.status);
  }
  return response;
}

async function read(response: Response, told: (event: StreamEvent) => void): Promise<void> {
  if (response.body === null) return;
  const parser = createParser({
    onEvent: (event) => {
      if (event.event === undefined || event.id === undefined) return;
      told({ type: event.event, id: event.id, data: JSON.parse(event.data) as EventData });
    },
  });
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    parser.feed(value);
  }
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ms);
    signal.addEventListener("abort", () => {
      clearTimeout(timer);
      resolve();
    });
  });
}
