import { expect, test } from "vitest";

import type { Subscription } from "../elements/subscribe/subscriptions";
import { accessUntil, standingOf } from "./standing";

const NOW = Date.parse("2026-11-10T00:00:00Z");
const ACTIVE: Subscription = {
  id: "5f3b6a52-0000-4000-8000-000000000001",
  signal: "ada/tide",
  state: "active",
  amount_minor: 2900,
  due_minor: 1900,
  currency: "EUR",
  created_at: "2026-10-01T00:00:00Z",
  period_start: "2026-11-01T00:00:00Z",
  period_end: "2026-12-01T00:00:00Z",
  grace_until: null,
  cancel_at_period_end: false,
  had_trial: false,
  payment_provider: "manual",
  proposal: null,
  checkout_url: null,
};

function said(changes: Partial<Subscription>): string | undefined {
  return standingOf({ ...ACTIVE, ...changes }, NOW, "UTC")?.text;
}

test("what is paid and goes on needs no word", () => {
  expect(said({})).toBeUndefined();
});

test("a cancellation says until when one reads on", () => {
  expect(said({ cancel_at_period_end: true })).toBe(
    "Canceled: you read on until 2026-12-01 00:00 UTC (in 21 d).",
  );
});

test("what is due is the price less credit, not the price", () => {
  expect(said({ state: "incomplete" })).toContain("€19.00");
  expect(said({ state: "incomplete", due_minor: 0 })).toContain("It is free");
});

test("a failed payment says how long its grace lasts, and when it is over", () => {
  const failed = { state: "past_due", period_end: "2026-11-09T00:00:00Z" } as const;
  const grace = said({ ...failed, grace_until: "2026-11-12T00:00:00Z" });
  expect(grace).toBe("€19.00 is due. You still read until 2026-11-12 00:00 UTC (in 2 d).");
  expect(said({ ...failed, grace_until: "2026-11-09T12:00:00Z" })).toContain("read nothing");
});

test("the later of period and grace opens the forecasts, and nothing where nothing is paid", () => {
  const late = { state: "past_due", grace_until: "2026-11-12T00:00:00Z" } as const;
  expect(accessUntil({ ...ACTIVE, ...late })).toBe("2026-12-01T00:00:00Z");
  expect(accessUntil({ ...ACTIVE, state: "incomplete" })).toBeNull();
  expect(accessUntil({ ...ACTIVE, state: "expired" })).toBeNull();
});
