/** For tests: a page of the desk as an operator opens it; the test answers for the network. */

import { ThemeProvider } from "@mui/material/styles";
import { QueryClientProvider } from "@tanstack/react-query";
import { createMemoryHistory, createRouter, RouterProvider } from "@tanstack/react-router";
import { configure, render } from "@testing-library/react";
import { vi } from "vitest";

import { type Schemas } from "../api/client";
import { newQueryClient } from "../api/queries";
import { rootRoute } from "../root";
import { theme } from "../theme/theme";
import type { Health } from "./health";
import { operatorRoute } from "./routes";

configure({ asyncUtilTimeout: 10_000 }); // pages load lazily, on two cores

interface Answer {
  status?: number;
  body: unknown;
}

/** By method and path; the newest request is asked with its whole address. */
export type Answers = Record<string, Answer | ((url: URL, request: Request) => Answer)>;

export const HEALTH: Health = {
  at: "2026-11-22T02:22:15Z",
  log: { state: "ok", detail: "16 leaves covered" },
  ticks: { state: "ok", detail: "newest recorded slot 2026-11-22T02:00Z" },
  letters: { state: "unknown", detail: "no mail server is set up; 6 letters are kept" },
  live_versions: 6,
  feeds: [
    {
      symbol: "EURUSD",
      calendar: "FX",
      is_sample_data: true,
      newest: null,
      known_at: null,
      rejected: 3,
    },
  ],
  recent_ticks: [
    { as_of: "2026-11-22T02:00:00Z", live: 4, late: 1, missed: 1, seconds: 252 },
    { as_of: "2026-11-22T00:00:00Z", live: 6, late: 0, missed: 0, seconds: 18 },
  ],
  sandboxes: [
    {
      engine: "docker",
      path: "replay",
      runs: 132,
      answered: 132,
      missed: 0,
      wall_ms_p50: 0.8,
      wall_ms_p95: 7.5,
      cpu_ms_p50: null,
      cpu_ms_p95: null,
      peak_memory_mb: null,
      last_at: "2026-11-22T01:35:50Z",
    },
  ],
  queues: [{ name: "letters", waiting: 6, oldest_at: "2026-11-22T01:22:00Z" }],
  dagster_url: "https://dagster.example.org",
};

const ME: Partial<Schemas["Me"]> = { handle: "olive", email: "o@example.org", role: "operator" };
const TOKENS = { access_token: "t", refresh_token: null, token_type: "Bearer", expires_in: 600 };

/** Open the page at `path`; returns the requests as they come. */
export function openDesk(path: string, answers: Answers): URL[] {
  const asked: URL[] = [];
  const all: Answers = {
    "POST /v1/auth/refresh": { body: TOKENS },
    "GET /v1/auth/me": { body: ME },
    "GET /v1/admin/health": { body: HEALTH },
    ...answers,
  };
  vi.stubGlobal("fetch", (input: Request | string, init?: RequestInit) => {
    const request = new Request(
      new URL(input instanceof Request ? input.url : input, location.origin),
      input instanceof Request ? input : init,
    );
    const url = new URL(request.url);
    const found = all[`${request.method} ${url.pathname}`];
    if (found === undefined) throw new Error(`nobody answers ${request.method} ${url.pathname}`);
    asked.push(url);
    const { status = 200, body } = typeof found === "function" ? found(url, request) : found;
    const headers = {
      "Content-Type": status < 400 ? "application/json" : "application/problem+json",
    };
    return Promise.resolve(new Response(JSON.stringify(body), { status, headers }));
  });
  localStorage.setItem("signalbox.signed-in", "1");
  // The test's browser has one tab and no locks.
  const locks = { request: (_: string, turn: () => unknown) => turn() };
  Object.defineProperty(navigator, "locks", { value: locks, configurable: true });
  const queryClient = newQueryClient();
  const router = createRouter({
    routeTree: rootRoute.addChildren([operatorRoute]),
    history: createMemoryHistory({ initialEntries: [path] }),
    context: { queryClient },
  });
  render(
    <ThemeProvider theme={theme}>
      <QueryClientProvider client={queryClient}>
        <RouterProvider router={router as never} />
      </QueryClientProvider>
    </ThemeProvider>,
  );
  return asked;
}

export function problem(status: number, code: string, detail: string): Answer {
  return { status, body: { type: `urn:${code}`, title: "Refused", status, code, detail } };
}
