/** The provider's pages as a test opens them: the network is answered by the test, the rest is real. */

import { ThemeProvider } from "@mui/material/styles";
import { QueryClientProvider } from "@tanstack/react-query";
import { createMemoryHistory, createRouter, RouterProvider } from "@tanstack/react-router";
import { configure, render } from "@testing-library/react";
import { vi } from "vitest";

import type { Schemas } from "../api/client";
import { newQueryClient } from "../api/queries";
import { rootRoute } from "../root";
import { theme } from "../theme/theme";
import type { OwnSignal, Run, Signal, Version, VersionEvent } from "./queries";
import { providerRoute } from "./routes";

configure({ asyncUtilTimeout: 10_000 }); // the first page loads its code, on a machine that is busy

interface Answer {
  status?: number;
  body: unknown;
}
type Answers = Record<string, Answer | ((url: URL, request: Request) => Answer)>;

export const TIDE: OwnSignal = {
  signal: "ada/tide",
  name: "tide",
  title: "Tide",
  visibility: "public",
  created_at: "2026-11-20T10:00:00Z",
  live_versions: ["v1.0.0"],
  last_push: { version: "v1.0.0", state: "live", reserved_at: "2026-11-20T10:00:00Z", why: null },
  last_slot: {
    version: "v1.0.0",
    as_of: "2026-11-22T02:00:00Z",
    proven: "missed",
    reason: "timeout: ran into 20 s",
  },
  paying: 3,
  trialing: 1,
  earned: [{ currency: "EUR", earned_minor: 6960 }],
};

export const LISTED: Signal = {
  signal: "ada/tide",
  provider: "ada",
  name: "tide",
  title: "Tide",
  description: "Ebb and flow",
  visibility: "public",
  created_at: "2026-11-20T10:00:00Z",
  symbols: ["EURUSD"],
  horizons_hours: [1],
  target: "return",
  version: "v1.0.0",
  state: "live",
  live_since: "2026-11-20T10:00:00Z",
  offer: { amount_minor: 2900, currency: "EUR", trial_days: 14, reveal_after_hours: 168 },
  headline: {} as Schemas["Headline"], // the desk shows none of it
  is_sample_data: true,
  is_own: true,
  git_url: "http://git.example.org/git/ada/tide.git",
};

export const LIVE: Version = {
  signal: "ada/tide",
  version: "v1.0.0",
  state: "live",
  reserved_at: "2026-11-20T10:00:00Z",
  published_at: "2026-11-20T10:00:05Z",
  commit_sha: "fb33c0ba9d4e02a6a9d0d95329bdf6dffe03d0db",
  tree_digest: "sha256:3d50b9ca8b0e8561f377d2b7",
  lock_digest: "sha256:bb7c71ebcb86ddc7679f3179",
  image_digest: "sha256:db4649d9de0c975a6bac5b30",
  manifest: {
    forecast: { symbols: ["EURUSD"], horizons_hours: [1, 4] },
    runtime: { timeout_seconds: 20, memory_mb: 512 },
  },
  why: null,
  scan: { said: "not scanned: no database" },
  is_signed: true,
  deterministic: true,
  leak_report: null,
};

export const REJECTED: Version = {
  ...LIVE,
  version: "v1.1.0",
  state: "rejected",
  reserved_at: "2026-11-21T10:00:00Z",
  published_at: null,
  image_digest: null,
  lock_digest: null,
  manifest: null,
  deterministic: null,
  why: "signal.toml: offer.trial_days: expected `int` <= 30",
};

export const PUSHED: VersionEvent = {
  at: "2026-11-21T10:00:00Z",
  to_state: "building",
  actor: "ada",
  why: "pushed",
};

export function run(as_of: string, changed: Partial<Run> = {}): Run {
  return {
    id: Date.parse(as_of) / 1000,
    as_of,
    provenance: "live",
    proven: "live",
    reason: null,
    recorded_at: as_of,
    wall_ms: 12.5,
    cpu_ms: 8.25,
    peak_memory_mb: 58,
    engine: "docker",
    path: "forked",
    input_digest: "sha256:1",
    image_digest: "sha256:2",
    leaf_index: 1041,
    dagster_run_id: null,
    ...changed,
  };
}

const ME: Schemas["Me"] = {
  id: "5e3a1f2c-0000-4000-8000-000000000000",
  handle: "ada",
  email: "ada@example.org",
  role: "member",
  created_at: "2026-10-01T00:00:00Z",
  email_confirmed: true,
  has_totp: false,
  standing: "good",
  git_url: "http://git.example.org",
};
const TOKENS = { access_token: "t", refresh_token: null, token_type: "Bearer", expires_in: 600 };

export interface Desk {
  /** Requests as they came. */
  asked: Request[];
  /** Send an event on the open stream. */
  tell: (type: string, data: object) => void;
}

/** Open the page at `path`. */
export function openDesk(path: string, answers: Answers): Desk {
  const asked: Request[] = [];
  let events: ReadableStreamDefaultController<Uint8Array> | undefined;
  const all: Answers = {
    "POST /v1/auth/refresh": { body: TOKENS },
    "GET /v1/auth/me": { body: ME },
    ...answers,
  };
  vi.stubGlobal("fetch", (input: Request | string, init?: RequestInit) => {
    const request = new Request(
      new URL(input instanceof Request ? input.url : input, location.origin),
      input instanceof Request ? input : init,
    );
    const url = new URL(request.url);
    if (url.pathname === "/v1/stream") {
      const body = new ReadableStream<Uint8Array>({ start: (opened) => void (events = opened) });
      return Promise.resolve(new Response(body));
    }
    const found = all[`${request.method} ${url.pathname}`];
    if (found === undefined) throw new Error(`nobody answers ${request.method} ${url.pathname}`);
    asked.push(request);
    const { status = 200, body } = typeof found === "function" ? found(url, request) : found;
    const headers = { "Content-Type": "application/json", Date: "Sun, 22 Nov 2026 02:30:00 GMT" };
    return Promise.resolve(new Response(JSON.stringify(body), { status, headers }));
  });
  localStorage.setItem("signalbox.signed-in", "1");
  // The test's browser has one tab and no locks.
  const locks = { request: (_: string, turn: () => unknown) => turn() };
  Object.defineProperty(navigator, "locks", { value: locks, configurable: true });
  const queryClient = newQueryClient();
  const router = createRouter({
    routeTree: rootRoute.addChildren([providerRoute]),
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
  const tell = (type: string, data: object) => {
    const text = `id: 1\nevent: ${type}\ndata: ${JSON.stringify(data)}\n\n`;
    events?.enqueue(new TextEncoder().encode(text));
  };
  return { asked, tell };
}

export function problem(status: number, code: string, detail: string): Answer {
  return { status, body: { type: `urn:${code}`, title: "Refused", status, code, detail } };
}

export function page(...items: object[]): Answer {
  return { body: { items, next: null } };
}
