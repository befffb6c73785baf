import { screen, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { expect, test } from "vitest";

import { LISTED, openDesk, page, problem, TIDE } from "../atDesk";
import type { OwnSignal } from "../queries";

const NO_MONEY = { body: { balances: [], signals: [], this_month: [] } };

test("each signal shows what runs, its last slot, who reads it and what it brings", async () => {
  openDesk("/provider", {
    "GET /v1/provider/signals": page(TIDE),
    "GET /v1/provider/summary": NO_MONEY,
  });
  const table = await screen.findByRole("table", { name: "Signals" });
  const row = within(table).getByRole("row", { name: /tide/ });
  expect(row).toHaveTextContent("v1.0.0");
  expect(row).toHaveTextContent("missed");
  expect(row).toHaveTextContent("timeout");
  expect(row).toHaveTextContent("€69.60");
  expect(within(row).getByRole("link", { name: "tide" })).toHaveAttribute(
    "href",
    "/provider/signals/tide",
  );
  expect(screen.queryByText("Your first signal")).toBeNull();
});

test("a refused push says why, and leads to what to do", async () => {
  const why = "requirements.txt line 2: options are not taken";
  const refused: OwnSignal = {
    ...TIDE,
    last_push: { version: "v1.1.0", state: "rejected", reserved_at: "2026-11-21T10:00:00Z", why },
  };
  openDesk("/provider", {
    "GET /v1/provider/signals": page(refused),
    "GET /v1/provider/summary": NO_MONEY,
  });
  expect(await screen.findByText(why)).toBeVisible();
  expect(screen.getByRole("link", { name: "What to do" })).toHaveAttribute(
    "href",
    "/provider/signals/tide?version=v1.1.0",
  );
});

test("the guide ticks what the platform has seen, and writes commands for the name", async () => {
  openDesk("/provider", {
    "GET /v1/provider/signals": page(),
    "GET /v1/api-keys": page({
      id: "a",
      name: "laptop",
      prefix: "sk_demo_a",
      scopes: ["read", "push"],
      created_at: "2026-11-20T10:00:00Z",
      expires_at: null,
      last_used_at: null,
      revoked_at: null,
    }),
  });
  const key = await screen.findByRole("heading", { name: /Make a key and log in done/ });
  expect(key).toBeVisible();
  expect(screen.getByRole("heading", { name: /Push a version to do/ })).toBeVisible();
  await userEvent.type(screen.getByRole("textbox", { name: "What will it be called?" }), "ebb-1");
  expect(screen.getByLabelText("the commands that begin a signal")).toHaveTextContent(
    "signalbox init ebb-1",
  );
  expect(screen.getByLabelText("the git commands that push")).toHaveTextContent(
    "http://git.example.org/git/ada/ebb-1.git",
  );
});

test("a name that breaks the rule is not sent; one that is taken is refused in the API's words", async () => {
  const { asked } = openDesk("/provider/new", {
    "POST /v1/signals": problem(409, "signal_taken", "A name once used stays used."),
  });
  const name = await screen.findByRole("textbox", { name: "Name" });
  await userEvent.type(name, "Tide!");
  await userEvent.click(screen.getByRole("button", { name: "Create signal" }));
  expect(name).toBeInvalid();
  expect(
    asked.filter((request) => request.method === "POST" && request.url.endsWith("signals")),
  ).toHaveLength(0);
  await userEvent.clear(name);
  await userEvent.type(name, "tide");
  await userEvent.click(screen.getByRole("button", { name: "Create signal" }));
  expect(await screen.findByText("A name once used stays used.")).toBeVisible();
});

test("a created signal opens, with what was typed", async () => {
  const { asked } = openDesk("/provider/new", {
    "POST /v1/signals": { status: 201, body: { ...LISTED, version: null, state: null } },
    "GET /v1/signals/ada/tide": { body: { ...LISTED, version: null, state: null } },
    "GET /v1/signals/ada/tide/versions": page(),
  });
  await userEvent.type(await screen.findByRole("textbox", { name: "Name" }), "tide");
  await userEvent.type(screen.getByRole("textbox", { name: "Title" }), "Tide");
  await userEvent.click(screen.getByRole("button", { name: "Create signal" }));
  expect(await screen.findByText("Nothing was pushed yet")).toBeVisible();
  const made = asked.find((request) => request.url.endsWith("/v1/signals"));
  expect(await made?.json()).toEqual({ name: "tide", title: "Tide", description: "" });
});
