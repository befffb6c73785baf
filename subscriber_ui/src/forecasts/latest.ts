import { useQueries, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";

import { answer, api, type Schemas } from "../api/client";
import { type Connection, type StreamEvent, useEvents } from "../live/events";
import type { Missed } from "./freshness";

export type Forecast = Schemas["Forecast"];

const KEY = ["forecasts", "latest"];
const MINUTE_MS = 60_000;

/** The newest forecasts of everything I subscribe to; asked for each minute, told meanwhile. */
export function useLatest() {
  return useQuery({
    queryKey: KEY,
    queryFn: async () => {
      const page = await answer(api.GET("/v1/forecasts/latest"));
      return (page as Schemas["ForecastPage"]).items; // text is the tables' that nobody asked for
    },
    refetchInterval: MINUTE_MS,
  });
}

/** Puts what the stream tells among the newest; tells which signals missed their last slot. */
export function useLive(): { connection: Connection; missed: ReadonlyMap<string, Missed> } {
  const client = useQueryClient();
  const [missed, setMissed] = useState<ReadonlyMap<string, Missed>>(new Map());
  const connection = useEvents((event) => {
    if (event.type === "forecast") {
      client.setQueryData<Forecast[]>(KEY, (known) => withNewer(known, event));
    } else if (event.type === "missed" && event.data.as_of !== undefined) {
      const { signal, as_of: asOf, reason } = event.data;
      setMissed((known) => new Map(known).set(signal, { as_of: asOf, reason: reason ?? null }));
    } else if (event.type.startsWith("subscription.")) {
      void client.invalidateQueries({ queryKey: KEY });
    }
  });
  return { connection, missed };
}

/** The known forecasts with those of a newer slot in place of their signal's. */
export function withNewer(known: Forecast[] | undefined, event: StreamEvent) {
  const told = event.data.forecasts ?? [];
  const slot = told[0]?.as_of;
  if (known === undefined || slot === undefined) return known;
  const ofSignal = known.filter((each) => each.signal === event.data.signal);
  if (ofSignal.some((each) => Date.parse(each.as_of) >= Date.parse(slot))) return known;
  return [...known.filter((each) => each.signal !== event.data.signal), ...told];
}

/** What each signal forecasts: a return or a price; unknown while it is asked. */
export function useTargets(signals: string[]): ReadonlyMap<string, string> {
  const found = useQueries({
    queries: signals.map((signal) => {
      const [provider = "", name = ""] = signal.split("/");
      return {
        queryKey: ["forecasts", "target", signal],
        queryFn: async () => {
          const params = { path: { provider, name } };
          const { target } = await answer(api.GET("/v1/signals/{provider}/{name}", { params }));
          return { signal, target: target ?? "" };
        },
        staleTime: Infinity,
      };
    }),
  });
  return new Map(
    found.flatMap(({ data }) => (data === undefined ? [] : [[data.signal, data.target]])),
  );
}
