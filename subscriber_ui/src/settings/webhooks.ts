import { useQuery, useQueryClient } from "@tanstack/react-query";

import { answer, api, type Schemas } from "../api/client";
import { instant, type Zone } from "../format/instants";

export type Webhook = Schemas["Webhook"];
export type EventName = Schemas["NewWebhook"]["events"][number];

/** What can be sent, and when it is. */
export const EVENTS: [EventName, string][] = [
  ["forecast", "a slot of a signal that you read was answered"],
  ["missed", "a due slot has no forecast"],
  ["version.*", "a version went live, offline or was retired"],
  ["subscription.*", "a subscription of yours moved"],
  ["payment.*", "a payment was made, failed or went back"],
  ["offer.*", "a new price is proposed to you"],
];

const KEY = ["webhooks"];

export function useWebhooks() {
  return useQuery({
    queryKey: KEY,
    queryFn: async () => (await answer(api.GET("/v1/webhooks"))).items,
  });
}

export function useWebhooksChanged(): () => Promise<void> {
  const client = useQueryClient();
  return () => client.invalidateQueries({ queryKey: KEY });
}

export function byId({ id }: Pick<Webhook, "id">) {
  return { path: { webhook_id: id } };
}

/** How a webhook is doing, by a word of the badges, and why. */
export function healthOf(webhook: Webhook, zone: Zone): { state: string; why: string | null } {
  if (!webhook.is_enabled) return { state: "disabled", why: webhook.disabled_why ?? null };
  if (typeof webhook.failing_since === "string") {
    return {
      state: "failing",
      why: `Deliveries fail since ${instant(webhook.failing_since, zone)}.`,
    };
  }
  return { state: "active", why: null };
}
