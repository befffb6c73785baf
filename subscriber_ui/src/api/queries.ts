import { QueryClient } from "@tanstack/react-query";

import { ProblemError } from "./problem";

const RETRIES = 2;

/** One cache for the page: what the API refused is not asked again, what failed on the way is. */
export function newQueryClient(): QueryClient {
  return new QueryClient({
    defaultOptions: {
      queries: {
        staleTime: 30_000,
        retry: (count, error) =>
          count < RETRIES && !(error instanceof ProblemError && error.status >= 400),
      },
    },
  });
}
