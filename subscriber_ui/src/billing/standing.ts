/** What a subscription's state means for its subscriber, in a sentence. */

import type { Subscription } from "../elements/subscribe/subscriptions";
import { relative } from "../format/durations";
import { instant, type Zone } from "../format/instants";
import { money } from "../format/numbers";

export interface Standing {
  tone: "info" | "warning";
  text: string;
}

/** Until when forecasts can be read; null: they cannot. */
export function accessUntil({ state, period_end, grace_until }: Subscription): string | null {
  if (state === "incomplete" || state === "canceled" || state === "expired") return null;
  if (state !== "past_due") return period_end;
  // Both are UTC of one form: what sorts later is later.
  return (
    [period_end, grace_until]
      .filter((each) => each !== null)
      .toSorted()
      .at(-1) ?? null
  );
}

export function standingOf(subscription: Subscription, now: number, zone: Zone): Standing | null {
  const { state, period_end: end, currency } = subscription;
  const price = money(subscription.due_minor, currency);
  const at = (moment: string) => `${instant(moment, zone)} (${relative(moment, now)})`;
  switch (state) {
    case "incomplete":
      return subscription.due_minor === 0
        ? { tone: "warning", text: "It is free: confirm once, and you begin reading." }
        : { tone: "warning", text: `Nothing is paid yet: pay ${price} to begin reading.` };
    case "past_due": {
      const until = accessUntil(subscription);
      const reads = until !== null && Date.parse(until) > now;
      const access = reads ? `You still read until ${at(until)}.` : "You read nothing until then.";
      return { tone: "warning", text: `${price} is due. ${access}` };
    }
    case "trialing":
      if (end === null) return null;
      return subscription.cancel_at_period_end
        ? { tone: "info", text: `Your trial ends ${at(end)}, and with it the subscription.` }
        : { tone: "info", text: `Your trial ends ${at(end)}. Then ${price} a month is due.` };
    case "active":
      if (end === null || !subscription.cancel_at_period_end) return null;
      return { tone: "info", text: `Canceled: you read on until ${at(end)}.` };
    default:
      return null;
  }
}
