import { useInfiniteQuery } from "@tanstack/react-query";

import { answer, api, type Schemas } from "../api/client";
import { endOf, type SlotsSearch, startOf } from "./search";

export type AnyRun = Schemas["AnyRun"];

const ANEW_MS = 30_000;

/** Late and missed slots as asked for, last recorded first. */
export function useSlots(search: SlotsSearch) {
  return useInfiniteQuery({
    queryKey: ["operator", "slots", search],
    queryFn: ({ pageParam }) =>
      answer(
        api.GET("/v1/admin/runs", {
          params: {
            query: {
              provenance: search.outcome ?? "late,missed",
              signal: search.signal,
              version: search.version,
              from: startOf(search.from),
              to: endOf(search.to),
              cursor: pageParam,
            },
          },
        }),
      ),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (page) => page.next ?? undefined,
    refetchInterval: ANEW_MS,
  });
}
