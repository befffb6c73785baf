/** What the provider's pages ask; every key begins with `provider`, so that one event can age them all. */

import { queryOptions } from "@tanstack/react-query";

import { answer, api, type Schemas } from "../api/client";

export type OwnSignal = Schemas["OwnSignal"];
export type Signal = Schemas["Signal"];
export type Version = Schemas["Version"];
export type VersionEvent = Schemas["VersionEvent"];
export type Run = Schemas["Run"];
export type Proven = Run["proven"];

export const ALL_OF_PROVIDER = ["provider"] as const;

/** The path of a signal: its provider's handle and its name. */
export interface Path {
  provider: string;
  name: string;
}

export const ownSignals = () =>
  queryOptions({
    queryKey: [...ALL_OF_PROVIDER, "signals"],
    queryFn: () => answer(api.GET("/v1/provider/signals", { params: { query: { limit: 1000 } } })),
  });

export const ownSignal = (path: Path) =>
  queryOptions({
    queryKey: [...ALL_OF_PROVIDER, "signal", path.name],
    queryFn: () => answer(api.GET("/v1/signals/{provider}/{name}", { params: { path } })),
  });

export const versions = (path: Path) =>
  queryOptions({
    queryKey: [...ALL_OF_PROVIDER, "versions", path.name],
    queryFn: () => answer(api.GET("/v1/signals/{provider}/{name}/versions", { params: { path } })),
  });

export const versionEvents = (path: Path, version: string) =>
  queryOptions({
    queryKey: [...ALL_OF_PROVIDER, "events", path.name, version],
    queryFn: () =>
      answer(
        api.GET("/v1/signals/{provider}/{name}/versions/{version}/events", {
          params: { path: { ...path, version } },
        }),
      ),
  });

export interface RunFilter {
  provenance?: Proven;
  from?: string;
  to?: string;
  limit?: number;
  cursor?: string;
}

export const runs = (path: Path, version: string, filter: RunFilter) =>
  queryOptions({
    queryKey: [...ALL_OF_PROVIDER, "runs", path.name, version, filter],
    queryFn: async () => {
      const page = await answer(
        api.GET("/v1/signals/{provider}/{name}/versions/{version}/runs", {
          params: { path: { ...path, version }, query: filter },
          headers: { Accept: "application/json" },
        }),
      );
      return page as Exclude<typeof page, string>; // a string is the CSV that others ask for
    },
  });

export const logsBetween = (path: Path, version: string, from: string, to: string) =>
  queryOptions({
    queryKey: [...ALL_OF_PROVIDER, "logs", path.name, version, from],
    queryFn: () =>
      answer(
        api.GET("/v1/signals/{provider}/{name}/versions/{version}/logs", {
          params: { path: { ...path, version }, query: { from, to } },
        }),
      ),
  });

export const offers = (path: Path) =>
  queryOptions({
    queryKey: [...ALL_OF_PROVIDER, "offers", path.name],
    queryFn: () =>
      answer(
        api.GET("/v1/signals/{provider}/{name}/offers", {
          params: { path, query: { limit: 1000 } },
        }),
      ),
  });

export const moneySummary = () =>
  queryOptions({
    queryKey: [...ALL_OF_PROVIDER, "summary"],
    queryFn: () => answer(api.GET("/v1/provider/summary")),
  });

export const payouts = () =>
  queryOptions({
    queryKey: [...ALL_OF_PROVIDER, "payouts"],
    queryFn: () => answer(api.GET("/v1/provider/payouts", { params: { query: { limit: 1000 } } })),
  });

/** Statements of several months, such as 2026-11, in their order. */
export const statements = (months: string[]) =>
  queryOptions({
    queryKey: [...ALL_OF_PROVIDER, "statements", months],
    queryFn: () =>
      Promise.all(
        months.map((month) =>
          answer(api.GET("/v1/provider/statements/{month}", { params: { path: { month } } })),
        ),
      ),
  });

export const apiKeys = () =>
  queryOptions({
    queryKey: [...ALL_OF_PROVIDER, "api-keys"],
    queryFn: () => answer(api.GET("/v1/api-keys")),
  });

export const dataSourceKeys = () =>
  queryOptions({
    queryKey: [...ALL_OF_PROVIDER, "data-source-keys"],
    queryFn: () => answer(api.GET("/v1/data-source-keys")),
  });
