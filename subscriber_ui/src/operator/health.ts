import { useQuery } from "@tanstack/react-query";

import { answer, api, type Schemas } from "../api/client";

export type Health = Schemas["PlatformHealth"];
export type Tick = Health["recent_ticks"][number];
export type Feed = Health["feeds"][number];
export type Queue = Health["queues"][number];
export type Sandboxes = Health["sandboxes"][number];

const ANEW_MS = 15_000;

/** The state of the platform; asked anew while somebody looks. */
export function useHealth() {
  return useQuery({
    queryKey: ["operator", "health"],
    queryFn: () => answer(api.GET("/v1/admin/health")),
    refetchInterval: ANEW_MS,
    staleTime: ANEW_MS / 2,
  });
}
