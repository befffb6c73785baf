import { useQuery, useQueryClient } from "@tanstack/react-query";

import { answer, api, type Schemas } from "../../api/client";

export type Subscription = Schemas["Subscription"];

const KEY = ["subscriptions"];

/** All of mine, whatever their state; nothing is asked for strangers. */
export function useSubscriptions(isSignedIn: boolean) {
  return useQuery({
    queryKey: KEY,
    queryFn: async () => (await answer(api.GET("/v1/subscriptions"))).items,
    enabled: isSignedIn,
  });
}

/** Tells everything that depends on what I subscribe to that it has changed. */
export function useSubscriptionsChanged(): () => Promise<void> {
  const client = useQueryClient();
  return async () => {
    await client.invalidateQueries({ queryKey: KEY });
    void client.invalidateQueries({ queryKey: ["forecasts"] });
    void client.invalidateQueries({ queryKey: ["signals"] });
    void client.invalidateQueries({ queryKey: ["signal"] });
  };
}

/** Whether it opens the forecasts now, or will once it is paid. */
export function isRunning({ state }: Subscription): boolean {
  return state !== "canceled" && state !== "expired";
}

/**
 * Go and pay. The link is good for ten minutes, so a new one is asked for.
 * @throws ProblemError what the API refused.
 * @returns false: there is nothing to pay any more.
 */
export async function goAndPay(id: string): Promise<boolean> {
  const { items } = await answer(api.GET("/v1/subscriptions"));
  const url = items.find((each) => each.id === id)?.checkout_url ?? null;
  if (url !== null) globalThis.location.assign(url);
  return url !== null;
}
