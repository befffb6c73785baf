import { QueryClientProvider } from "@tanstack/react-query";
import {
  type AnyRoute,
  createMemoryHistory,
  createRoute,
  createRouter,
  RouterProvider,
} from "@tanstack/react-router";
import { configure, render, screen, waitFor, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { afterEach, beforeAll, beforeEach, expect, test, vi } from "vitest";

import type { Schemas } from "../api/client";
import { newQueryClient } from "../api/queries";
import { rootRoute } from "../root";
import { signalRoute } from "../signal/frame";
import { catalogueRoutes } from "./routes";

const SHORT = "the record is too short for a rank: 2 of 30 days, 49 of 200 live slots";

function signal(name: string, change: Partial<Schemas["Headline"]> = {}): Schemas["Signal"] {
  return {
    signal: `ada/${name}`,
    provider: "ada",
    name,
    title: `The ${name}`,
    description: "",
    visibility: "public",
    created_at: "2026-10-01T00:00:00Z",
    symbols: ["BTCUSDT"],
    horizons_hours: [1, 4],
    target: "return",
    version: "v1.0.0",
    state: "live",
    live_since: "2026-10-01T00:00:00Z",
    offer: { amount_minor: 4900, currency: "EUR", trial_days: 14, reveal_after_hours: 24 },
    headline: {
      as_of: "2026-11-22T01:00:00Z",
      live_since: "2026-10-03T00:00:00Z",
      live_slots: 1194,
      sharpe: null,
      max_drawdown: null,
      skill: null,
      hit_rate: null,
      reasons: {},
      so_far: {},
      afterwards: {},
      ...change,
    },
    is_sample_data: false,
    is_own: false,
    git_url: "https://example.org/git/ada/tide.git",
  };
}

let listed: Schemas["Signal"][] = [];
let isBroken = false;
const asked: URL[] = [];

// Two cores, several workers: a query waits longer than its usual second.
configure({ asyncUtilTimeout: 10_000 });
beforeAll(() => import("./CataloguePage"));
beforeEach(() => {
  listed = [signal("tide"), signal("surf")];
  isBroken = false;
  asked.length = 0;
  localStorage.clear();
  vi.stubGlobal("fetch", (request: Request) => {
    const url = new URL(request.url);
    asked.push(url);
    if (url.pathname === "/v1/metrics") return Promise.resolve(Response.json({ items: [] }));
    if (isBroken) {
      const problem = {
        code: "bad",
        title: "Broken",
        detail: "Ask again.",
        status: 500,
        errors: [],
      };
      return Promise.resolve(Response.json(problem, { status: 500 }));
    }
    const one = listed.find((each) => url.pathname === `/v1/signals/${each.signal}`);
    return Promise.resolve(Response.json(one ?? { items: listed, next: null }));
  });
});
afterEach(() => vi.unstubAllGlobals());

function show(at = "/", signalPage: AnyRoute = signalRoute) {
  const queryClient = newQueryClient();
  const router = createRouter({
    routeTree: rootRoute.addChildren([...catalogueRoutes, signalPage]),
    history: createMemoryHistory({ initialEntries: [at] }),
    context: { queryClient },
  });
  render(
    <QueryClientProvider client={queryClient}>
      <RouterProvider router={router} />
    </QueryClientProvider>,
  );
  return router;
}

const lists = () => asked.filter((url) => url.pathname === "/v1/signals");

test("words, order and filters are asked of the API and stand in the address", async () => {
  const router = show();
  await screen.findByRole("link", { name: "The tide" });
  await userEvent.type(screen.getByRole("searchbox", { name: "Search signals" }), "mean reversion");
  await userEvent.selectOptions(screen.getByRole("combobox", { name: "Sort by" }), "Lowest price");
  await waitFor(() => {
    const last = lists().at(-1)?.searchParams;
    expect([last?.get("q"), last?.get("sort")]).toEqual(["mean reversion", "price"]);
  });
  expect(router.state.location.search).toEqual({ q: "mean reversion", sort: "price" });
});

test("who follows a link while typed words still wait is not called back", async () => {
  // As slow as a page that is fetched: the catalogue stays on the screen meanwhile.
  let hasCome = () => {};
  const coming = new Promise<void>((resolve) => (hasCome = resolve));
  const slowRoute = createRoute({
    getParentRoute: () => rootRoute,
    path: "/signals/$provider/$name",
    beforeLoad: () => coming,
  });
  const router = show("/", slowRoute);
  await screen.findByRole("link", { name: "The tide" });
  await userEvent.type(screen.getByRole("searchbox", { name: "Search signals" }), "ti");
  await userEvent.click(screen.getByRole("link", { name: "The tide" }));
  await new Promise((resolve) => setTimeout(resolve, 500));
  hasCome();
  await waitFor(() => expect(router.state.status).toBe("idle"));
  expect(router.state.location.pathname).toBe("/signals/ada/tide");
  expect(lists().filter((url) => url.searchParams.has("q"))).toEqual([]);
});

test("an address alone brings back what it shows", async () => {
  show("/?symbol=BTCUSDT&days=30&trial=true&skill=5");
  await screen.findByRole("link", { name: "The tide" });
  expect(Object.fromEntries(lists().at(-1)?.searchParams ?? [])).toMatchObject({
    symbol: "BTCUSDT",
    min_live_days: "30",
    trial: "true",
    min_skill: "0.05",
  });
});

test("two chosen signals lead to their comparison", async () => {
  show();
  await userEvent.click(await screen.findByRole("checkbox", { name: "Compare ada/tide" }));
  await userEvent.click(await screen.findByRole("checkbox", { name: "Compare ada/surf" }));
  const tray = await screen.findByRole("region", { name: "Chosen to compare" });
  const link = within(tray).getByRole("link", { name: "Compare" });
  await waitFor(() =>
    expect(link.getAttribute("href")).toBe("/compare?signals=ada%2Ftide%2Cada%2Fsurf"),
  );
});

test("a number that is not there is a dash with its reason, and a short record is called so", async () => {
  const none = { count: 0, value: null, reason: "no hour in this period" };
  listed = [signal("ebb", { reasons: { skill: SHORT }, so_far: { sharpe: none } })];
  show();
  expect(await screen.findByText("record too short for a rank")).toBeVisible();
  expect(screen.getByLabelText("none: no hour in this period")).toHaveTextContent("–");
});

test("what was run afterwards stands apart and is called hypothetical", async () => {
  const earned = { count: 336, value: 0.3 };
  listed = [
    signal("ebb", { live_since: null, live_slots: 0, afterwards: { total_return: earned } }),
  ];
  show();
  const apart = await screen.findByRole("group", { name: "Hypothetical, run afterwards" });
  expect(within(apart).getByText(/Nobody could have read those forecasts/)).toBeVisible();
  expect(screen.getByText("none yet")).toBeVisible();
});

test("a watched signal is found again in this browser", async () => {
  show();
  await userEvent.click(await screen.findByRole("button", { name: "Watch ada/surf" }));
  await userEvent.click(screen.getByRole("button", { name: "Watched (1)" }));
  await waitFor(() => expect(screen.queryByRole("link", { name: "The tide" })).toBeNull());
  expect(await screen.findByRole("link", { name: "The surf" })).toBeVisible();
  expect(localStorage.getItem("signalbox.watched")).toBe('["ada/surf"]');
});

test("nothing found says what to do next", async () => {
  listed = [];
  show("/?q=nothing");
  expect(await screen.findByRole("link", { name: "Show all signals" })).toBeVisible();
});

test("an error is in the API's words and can be tried again", async () => {
  isBroken = true;
  show();
  expect(await screen.findByText(/Ask again/)).toBeVisible();
  isBroken = false;
  await userEvent.click(screen.getByRole("button", { name: "Try again" }));
  expect(await screen.findByRole("link", { name: "The tide" })).toBeVisible();
});
