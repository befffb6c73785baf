import { screen, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { expect, test } from "vitest";

import { openDesk, problem } from "./atDesk";

const NONE = { day: null, computed_at: null, figures: [], flagged: [] };
const DAY = {
  day: "2026-11-21",
  computed_at: "2026-11-22T01:34:20Z",
  figures: [
    figure("revenue", 2900, { currency: "EUR", signal: "ada/tide" }),
    figure("churn", null, { reason: "nobody was active 30 days before" }),
    figure("conversion", 0.25),
    figure("mrr", 5800, { currency: "EUR" }),
  ],
  flagged: [
    {
      flag: "negative_balance",
      subject: "856a01a2",
      provider: "ada",
      currency: "EUR",
      amount_minor: -1200,
      since: "2026-11-20T00:00:00Z",
    },
  ],
};

test("figures have their units, and one that is not defined says why", async () => {
  openDesk("/operator/business", { "GET /v1/admin/business": { body: DAY } });
  const figures = await screen.findByRole("region", { name: "Figures of 2026-11-21" });
  expect(figures).toHaveTextContent("€58.00");
  expect(figures).toHaveTextContent("25.0 %");
  expect(within(figures).getByLabelText("none: nobody was active 30 days before")).toBeVisible();
  const revenue = screen.getByRole("table", { name: "Revenue per signal" });
  expect(within(revenue).getByRole("row", { name: /ada\/tide/ })).toHaveTextContent("€29.00");
  expect(screen.getByRole("table", { name: "To look at" })).toHaveTextContent("-€12.00");
});

test("a day is chosen by the one before it", async () => {
  const asked = openDesk("/operator/business", { "GET /v1/admin/business": { body: DAY } });
  await userEvent.setup().click(await screen.findByRole("button", { name: "Day before" }));
  await screen.findByDisplayValue("2026-11-20");
  const days = asked.flatMap((url) => url.searchParams.getAll("day"));
  expect(days).toEqual(["2026-11-20"]);
});

test("a day without figures leads to where they are computed", async () => {
  openDesk("/operator/business?day=2026-11-20", { "GET /v1/admin/business": { body: NONE } });
  expect(await screen.findByText("No figures of 2026-11-20")).toBeVisible();
  expect(await screen.findByRole("link", { name: "Open in Dagster" })).toHaveAttribute(
    "href",
    "https://dagster.example.org/assets/usage/business?view=partitions&partition=2026-11-20",
  );
});

test("payouts run once they are confirmed, and show who was paid", async () => {
  const bodies: unknown[] = [];
  openDesk("/operator/business", {
    "GET /v1/admin/business": { body: NONE },
    "POST /v1/admin/payouts": (_, request) => {
      bodies.push(request.method);
      return { body: { month: "2026-10-01", payouts: [PAID] } };
    },
  });
  const user = userEvent.setup();
  const month = await screen.findByLabelText(/Month to settle/);
  await user.clear(month);
  await user.type(month, "2026-10");
  await user.click(screen.getByRole("button", { name: "Run payouts" }));
  const dialog = await screen.findByRole("dialog", { name: "Settle 2026-10?" });
  expect(bodies).toEqual([]);
  await user.click(within(dialog).getByRole("button", { name: "Run payouts" }));
  const paid = await screen.findByRole("table", { name: "Payouts of 2026-10" });
  expect(paid).toHaveTextContent("carried over: below the minimum");
  expect(bodies).toEqual(["POST"]);
});

test("a refund that is refused says so where it was asked for", async () => {
  openDesk("/operator/business", {
    "GET /v1/admin/business": { body: NONE },
    "POST /v1/admin/refunds": problem(404, "not_found", "No payment was made for it."),
  });
  const user = userEvent.setup();
  await user.type(await screen.findByLabelText(/^Invoice/), "2026-000001");
  await user.type(screen.getByLabelText("Amount"), "12.505");
  expect(screen.getByText("Write an amount such as 12.50")).toBeVisible();
  await user.clear(screen.getByLabelText("Amount"));
  await user.click(screen.getByRole("button", { name: "Refund" }));
  const dialog = await screen.findByRole("dialog", { name: "Refund 2026-000001?" });
  expect(dialog).toHaveTextContent("All that did not go back yet");
  await user.click(within(dialog).getByRole("button", { name: "Refund" }));
  expect(await within(dialog).findByText(/No payment was made for it/)).toBeVisible();
});

const PAID = {
  provider: "ada",
  currency: "EUR",
  balance_minor: 900,
  amount_minor: 0,
  carried: "below_minimum",
};

function figure(metric: string, value: number | null, more: object = {}) {
  return { metric, value, currency: null, signal: null, reason: null, ...more };
}
