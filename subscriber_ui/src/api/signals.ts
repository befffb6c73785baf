import { queryOptions } from "@tanstack/react-query";

import { answer, api } from "./client";

/** One signal, by provider/name. */
export function signalQuery(signal: string) {
  const [provider = "", name = ""] = signal.split("/");
  return queryOptions({
    queryKey: ["signal", signal],
    queryFn: () =>
      answer(api.GET("/v1/signals/{provider}/{name}", { params: { path: { provider, name } } })),
  });
}
