import { screen, within } from "@testing-library/react";
import { expect, test } from "vitest";

import { openDesk, problem } from "./atDesk";

const OLGA = {
  id: "b1f6d14a-db7f-4233-b7c7-39859020f881",
  handle: "olga",
  email: "olga@example.org",
  role: "member",
  created_at: "2026-11-22T02:08:16Z",
  signals: 1,
  subscriptions: 0,
  api_keys: 2,
};

test("a user is found by what the address asks for, and leads to their acts", async () => {
  const asked = openDesk("/operator/users?q=olg", {
    "GET /v1/admin/users": { body: { items: [OLGA], next: null } },
  });
  const table = await screen.findByRole("table", { name: "Users" });
  expect(within(table).getByRole("link", { name: "Audit log" })).toHaveAttribute(
    "href",
    "/operator/audit?actor=olga",
  );
  const users = asked.find((url) => url.pathname === "/v1/admin/users");
  expect(users?.searchParams.get("q")).toBe("olg");
  expect(screen.getByLabelText("Handle or e-mail")).toHaveValue("olg");
});

test("an act shows who, what and its details; the platform's have no name", async () => {
  const act = {
    id: 30,
    at: "2026-11-22T01:44:10Z",
    actor: null,
    action: "account.make_operator",
    subject: "856a01a2",
    detail: { by: "command", times: 2 },
  };
  openDesk("/operator/audit", { "GET /v1/admin/audit": { body: { items: [act], next: null } } });
  const table = await screen.findByRole("table", { name: "Audit log" });
  const row = within(table).getByRole("row", { name: /account.make_operator/ });
  expect(row).toHaveTextContent("the platform");
  expect(row).toHaveTextContent("by: command, times: 2");
});

test("no act and nobody found say what to search for", async () => {
  const nothing = { body: { items: [], next: null } };
  openDesk("/operator/audit?actor=nobody", { "GET /v1/admin/audit": nothing });
  expect(await screen.findByText("No act fits these filters")).toBeVisible();
});

test("letters are read in a demonstration, and production says why not", async () => {
  openDesk("/operator/outbox", {
    "GET /v1/mail": problem(404, "not_found", "Look into your mailbox."),
  });
  expect(await screen.findByText("Look into your mailbox.")).toBeVisible();
  expect(await screen.findByText("Letters that wait")).toBeVisible();
});
