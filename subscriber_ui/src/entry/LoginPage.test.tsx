import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import {
  createMemoryHistory,
  createRootRoute,
  createRoute,
  createRouter,
  RouterProvider,
} from "@tanstack/react-router";
import { render, screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { beforeEach, expect, test, vi } from "vitest";

import { forget } from "../session/session";
import { LoginPage } from "./LoginPage";

const ME = { handle: "sam", role: "member" };
const bodies: Record<string, unknown>[] = [];
let refusals: { code: string; status: number }[] = [];

beforeEach(() => {
  forget();
  bodies.length = 0;
  refusals = [];
  vi.stubGlobal("fetch", (path: string, init?: RequestInit) => {
    if (path === "/v1/auth/me") return Promise.resolve(Response.json(ME));
    bodies.push(JSON.parse(init?.body as string) as Record<string, unknown>);
    const refused = refusals.shift();
    if (refused === undefined) {
      return Promise.resolve(Response.json({ access_token: "at", expires_in: 600 }));
    }
    const problem = { ...refused, title: "No", detail: `because ${refused.code}` };
    return Promise.resolve(Response.json(problem, { status: refused.status }));
  });
});

function show(at: string) {
  const root = createRootRoute();
  const login = createRoute({
    getParentRoute: () => root,
    path: "/login",
    validateSearch: (search) => ({ next: search["next"] as string | undefined }),
    component: LoginPage,
  });
  const other = createRoute({
    getParentRoute: () => root,
    path: "/forecasts",
    component: () => <p>the forecasts</p>,
  });
  const router = createRouter({
    routeTree: root.addChildren([login, other]),
    history: createMemoryHistory({ initialEntries: [at] }),
  });
  render(
    <QueryClientProvider client={new QueryClient()}>
      <RouterProvider router={router} />
    </QueryClientProvider>,
  );
}

async function fill() {
  await userEvent.type(await screen.findByLabelText(/E-mail/), "sam@example.org");
  await userEvent.type(screen.getByLabelText(/Password/), "correct horse");
  await userEvent.click(screen.getByRole("button", { name: "Log in" }));
}

test("who logs in comes to where they wanted to go", async () => {
  show("/login?next=/forecasts");
  await fill();
  expect(await screen.findByText("the forecasts")).toBeVisible();
  expect(bodies[0]).toMatchObject({ keep: "cookie", totp: null });
});

test("a second factor is asked for once the password is right, and a wrong one said", async () => {
  refusals = [
    { code: "totp_required", status: 401 },
    { code: "invalid_totp", status: 401 },
  ];
  show("/login?next=/forecasts");
  await fill();
  const code = await screen.findByLabelText(/Code/);
  expect(screen.queryByRole("alert")).toBeNull();
  await userEvent.type(code, "000000");
  await userEvent.click(screen.getByRole("button", { name: "Log in" }));
  expect(await screen.findByText("because invalid_totp")).toBeVisible();
  await userEvent.clear(code);
  await userEvent.type(code, "123456");
  await userEvent.click(screen.getByRole("button", { name: "Log in" }));
  expect(await screen.findByText("the forecasts")).toBeVisible();
  expect(bodies.map((body) => body["totp"])).toEqual([null, "000000", "123456"]);
});

test("a wrong password leaves what was typed, and asks for no code", async () => {
  refusals = [{ code: "invalid_credentials", status: 401 }];
  show("/login");
  await fill();
  expect(await screen.findByText("because invalid_credentials")).toBeVisible();
  expect(screen.getByLabelText(/E-mail/)).toHaveValue("sam@example.org");
  expect(screen.queryByLabelText(/Code/)).toBeNull();
});
