import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import {
  createMemoryHistory,
  createRootRoute,
  createRouter,
  RouterProvider,
} from "@tanstack/react-router";
import { render, screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { beforeEach, expect, test, vi } from "vitest";

import type { Schemas } from "../../api/client";
import { forget, restored, signIn } from "../../session/session";
import { SubscribeButton } from "./SubscribeButton";

const SIGNAL = {
  signal: "ada/tide",
  offer: { amount_minor: 2900, currency: "EUR", trial_days: 14, reveal_after_hours: 24 },
  is_own: false,
};
const SUBSCRIPTION: Schemas["Subscription"] = {
  id: "5f3b6a52-0000-4000-8000-000000000001",
  signal: "ada/tide",
  state: "trialing",
  amount_minor: 2900,
  due_minor: 2900,
  currency: "EUR",
  created_at: "2026-11-01T00:00:00Z",
  period_start: "2026-11-01T00:00:00Z",
  period_end: "2026-11-15T00:00:00Z",
  grace_until: null,
  cancel_at_period_end: false,
  had_trial: true,
  payment_provider: "manual",
  proposal: null,
  checkout_url: null,
};
const PERSON = { handle: "sam", role: "member", email: "sam@example.org" };

let mine: Schemas["Subscription"][] = [];
let made: Schemas["Subscription"] = SUBSCRIPTION;
const asked: string[] = [];

function answered(path: string, method: string): unknown {
  if (path === "/v1/auth/login") return { access_token: "at", expires_in: 600, user: PERSON };
  if (path === "/v1/auth/me") return PERSON;
  if (path === "/v1/subscriptions") {
    if (method === "GET") return { items: mine, next: null };
    mine = [made];
    return made;
  }
  throw new Error(`nobody answers ${path}`);
}

beforeEach(async () => {
  mine = [];
  made = SUBSCRIPTION;
  asked.length = 0;
  forget();
  vi.stubGlobal("fetch", (input: Request | string, init?: RequestInit) => {
    const request = typeof input === "string" ? new URL(input, location.origin) : input;
    const { pathname } = new URL("url" in request ? request.url : request.href);
    const method = "method" in request ? request.method : (init?.method ?? "GET");
    asked.push(`${method} ${pathname}`);
    return Promise.resolve(Response.json(answered(pathname, method)));
  });
  await restored();
});

async function show(signal: Parameters<typeof SubscribeButton>[0]["signal"] = SIGNAL) {
  const root = createRootRoute({ component: () => <SubscribeButton signal={signal} /> });
  const history = createMemoryHistory({ initialEntries: ["/signals/ada/tide"] });
  const router = createRouter({ routeTree: root, history });
  const client = new QueryClient();
  render(
    <QueryClientProvider client={client}>
      <RouterProvider router={router} />
    </QueryClientProvider>,
  );
  await screen.findByText(/./);
}

test("a stranger logs in first, and comes back", async () => {
  await show();
  const link = await screen.findByRole("link", { name: "Start trial" });
  expect(link.getAttribute("href")).toBe("/login?next=%2Fsignals%2Fada%2Ftide");
  expect(asked).toEqual([]);
});

test("a trial begins only after it was said what it costs later", async () => {
  await signIn("sam@example.org", "secret");
  await show();
  const button = await screen.findByRole("button", { name: "Start trial" });
  await vi.waitFor(() => expect(button).toBeEnabled());
  await userEvent.click(button);
  expect(await screen.findByText(/14 days free.*Then €29\.00 a month/)).toBeVisible();
  expect(asked).not.toContain("POST /v1/subscriptions");
  await userEvent.click(screen.getByRole("button", { name: "Start trial" }));
  expect(await screen.findByText("trialing")).toBeVisible();
});

test("who had the trial is not offered another", async () => {
  mine = [{ ...SUBSCRIPTION, state: "expired" }];
  await signIn("sam@example.org", "secret");
  await show();
  expect(await screen.findByRole("button", { name: "Subscribe" })).toBeVisible();
  expect(screen.queryByRole("button", { name: "Start trial" })).toBeNull();
});

test("what must be paid first leads to the checkout", async () => {
  const assign = vi.spyOn(globalThis.location, "assign").mockImplementation(() => undefined);
  made = { ...SUBSCRIPTION, state: "incomplete", checkout_url: "http://pay.example/1" };
  await signIn("sam@example.org", "secret");
  await show({ ...SIGNAL, offer: { ...SIGNAL.offer, trial_days: 0 } });
  const button = await screen.findByRole("button", { name: "Subscribe" });
  await vi.waitFor(() => expect(button).toBeEnabled());
  await userEvent.click(button);
  await userEvent.click(await screen.findByRole("button", { name: "Subscribe" }));
  await vi.waitFor(() => expect(assign).toHaveBeenCalledWith("http://pay.example/1"));
});

test("one's own signal and one without an offer have no button", async () => {
  await show({ ...SIGNAL, is_own: true });
  expect(screen.getByText(/Your own signal/)).toBeVisible();
  expect(screen.queryByRole("button")).toBeNull();
});
