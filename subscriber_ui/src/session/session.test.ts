import { beforeEach, expect, test, vi } from "vitest";

import { ProblemError } from "../api/problem";

const ME = { id: "1", handle: "sam", email: "sam@example.org", role: "member" };
const REFUSED = {
  code: "invalid_refresh_token",
  status: 401,
  title: "No",
  detail: "Log in again.",
};

type Answers = Record<string, () => { status: number; body: unknown }>;

let asked: string[] = [];
let answers: Answers = {};
let tokens = 0;

function granted() {
  tokens += 1;
  return { status: 200, body: { access_token: `token-${tokens}`, expires_in: 900 } };
}

beforeEach(() => {
  asked = [];
  tokens = 0;
  localStorage.clear();
  answers = {
    "/v1/auth/login": granted,
    "/v1/auth/refresh": granted,
    "/v1/auth/logout": () => ({ status: 200, body: {} }),
    "/v1/auth/me": () => ({ status: 200, body: ME }),
  };
  vi.stubGlobal("fetch", (input: string | Request) => {
    const path = typeof input === "string" ? input : new URL(input.url).pathname;
    asked.push(path);
    const { status, body } = answers[path]?.() ?? { status: 404, body: null };
    return Promise.resolve(new Response(JSON.stringify(body), { status }));
  });
  vi.resetModules();
});

/** A page of its own: the module holds what a page remembers. */
async function newPage() {
  const session = await import("./session");
  const { authorizedFetch } = await import("../api/client");
  const { ProblemError: OfThePage } = await import("../api/problem");
  const get = (path: string) => authorizedFetch(new Request(new URL(path, location.origin)));
  return { ...session, get, OfThePage };
}

test("strangers ask the server nothing", async () => {
  const page = await newPage();
  await page.restored();
  expect(page.me()).toBeNull();
  expect(asked).toEqual([]);
});

test("who logged in is known after a reload, by the cookie, and no token is kept", async () => {
  const first = await newPage();
  await first.signIn("sam@example.org", "secret");
  expect(JSON.stringify(Object.entries(localStorage))).not.toContain("token-");
  vi.resetModules();
  const second = await newPage();
  await second.restored();
  expect(second.me()?.handle).toBe("sam");
});

test("a refused token is renewed once, for all requests that wait for it", async () => {
  const page = await newPage();
  await page.signIn("sam@example.org", "secret");
  let isStale = true;
  answers["/v1/subscriptions"] = () =>
    isStale ? { status: 401, body: REFUSED } : { status: 200, body: { items: [] } };
  answers["/v1/auth/refresh"] = () => {
    isStale = false;
    return granted();
  };
  const all = await Promise.all([1, 2, 3].map(() => page.get("/v1/subscriptions")));
  expect(all.map((response) => response.status)).toEqual([200, 200, 200]);
  expect(asked.filter((path) => path === "/v1/auth/refresh")).toHaveLength(1);
});

test("a session that was ended elsewhere is forgotten; a server that is away ends none", async () => {
  const page = await newPage();
  await page.signIn("sam@example.org", "secret");
  answers["/v1/invoices"] = () => ({ status: 401, body: REFUSED });
  answers["/v1/auth/refresh"] = () => ({ status: 503, body: null });
  await expect(page.get("/v1/invoices")).rejects.toBeInstanceOf(page.OfThePage);
  expect(page.me()?.handle).toBe("sam");
  answers["/v1/auth/refresh"] = () => ({ status: 401, body: REFUSED });
  expect((await page.get("/v1/invoices")).status).toBe(401);
  expect(page.me()).toBeNull();
  expect(localStorage).toHaveLength(0);
});

test("a problem names the fields it is about", () => {
  const errors = [{ field: "email", message: "taken" }];
  expect(new ProblemError({ ...REFUSED, errors }).fields).toEqual({ email: "taken" });
});
