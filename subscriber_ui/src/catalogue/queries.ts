/** What the catalogue asks the API for. */

import { infiniteQueryOptions, queryOptions } from "@tanstack/react-query";

import { answer, api } from "../api/client";
import { type CatalogueSearch, queryOf } from "./search";

const PAGE = 25;

export function listQuery(search: CatalogueSearch) {
  const query = queryOf(search);
  return infiniteQueryOptions({
    queryKey: ["signals", query],
    queryFn: ({ pageParam, signal }) =>
      answer(
        api.GET("/v1/signals", {
          params: { query: { ...query, limit: PAGE, cursor: pageParam } },
          signal,
        }),
      ),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (page) => page.next ?? undefined,
  });
}

export function comparisonQuery(signals: string) {
  return queryOptions({
    queryKey: ["compared", signals],
    queryFn: () => answer(api.GET("/v1/signals/compare", { params: { query: { signals } } })),
  });
}

/** `held`: provider/name by commas; without it, what the reader subscribes to. */
export function marginalQuery(signal: string, held: string | undefined) {
  const [provider = "", name = ""] = signal.split("/");
  return queryOptions({
    queryKey: ["marginal", signal, held ?? null],
    queryFn: () =>
      answer(
        api.GET("/v1/signals/{provider}/{name}/marginal", {
          params: { path: { provider, name }, query: { held } },
        }),
      ),
  });
}
