/** What a signal's pages ask the API for. */

import { queryOptions } from "@tanstack/react-query";

import { answer, api, type Schemas } from "../api/client";

export interface Name {
  provider: string;
  name: string;
}

export const WINDOWS = ["30d", "90d", "all"] as const;
export type Window = (typeof WINDOWS)[number];

const REVEALED_SHOWN = 12;

/** Measures of a window; of one version where it is named, else as subscribers received it. */
export function performanceQuery(path: Name, window: Window, version?: string) {
  return queryOptions({
    queryKey: ["performance", path.provider, path.name, window, version ?? null],
    queryFn: () =>
      answer(
        api.GET("/v1/signals/{provider}/{name}/performance", {
          params: { path, query: { window, version } },
        }),
      ),
  });
}

export function recordQuery(path: Name) {
  return queryOptions({
    queryKey: ["track-record", path.provider, path.name],
    queryFn: () =>
      answer(
        api.GET("/v1/signals/{provider}/{name}/track-record", { params: { path } }),
      ) as Promise<Schemas["TrackRecord"]>, // text is what other kinds of Accept get
  });
}

export function versionsQuery(path: Name) {
  return queryOptions({
    queryKey: ["versions", path.provider, path.name],
    queryFn: () => answer(api.GET("/v1/signals/{provider}/{name}/versions", { params: { path } })),
  });
}

export function eventsQuery(path: Name, version: string) {
  return queryOptions({
    queryKey: ["version-events", path.provider, path.name, version],
    queryFn: () =>
      answer(
        api.GET("/v1/signals/{provider}/{name}/versions/{version}/events", {
          params: { path: { ...path, version } },
        }),
      ),
  });
}

/** The newest forecasts that anybody may read: of slots before `until`. */
export function revealedQuery(path: Name, until: string) {
  return queryOptions({
    queryKey: ["revealed", path.provider, path.name, until],
    queryFn: () =>
      answer(
        api.GET("/v1/signals/{provider}/{name}/forecasts", {
          params: { path, query: { to: until, limit: REVEALED_SHOWN } },
        }),
      ) as Promise<Schemas["ForecastPage"]>,
  });
}

/** The log's newest checkpoint, a signed note. */
export const checkpointQuery = queryOptions({
  queryKey: ["checkpoint"],
  queryFn: () => answer(api.GET("/log/checkpoint", { parseAs: "text" })),
});
