import { screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { expect, test } from "vitest";

import type { Schemas } from "../../api/client";
import { openDesk, page } from "../atDesk";

const KEY: Schemas["DataSourceKey"] = {
  id: "5e3a1f2c-0000-4000-8000-000000000001",
  name: "paper",
  source: "alpaca",
  shown: "PKEX...6789",
  created_at: "2026-11-22T02:00:00Z",
  last_used_at: null,
  revoked_at: null,
};

test("a stored key is sent once, leaves the form, and is shown by its ends only", async () => {
  let stored: Schemas["DataSourceKey"][] = [];
  const { asked } = openDesk("/provider/sources", {
    "GET /v1/data-source-keys": () => page(...stored),
    "POST /v1/data-source-keys": () => {
      stored = [KEY];
      return { status: 201, body: KEY };
    },
  });
  expect(await screen.findByText("You stored no key")).toBeVisible();
  await userEvent.type(screen.getByLabelText("Key's name"), "paper");
  await userEvent.type(screen.getByLabelText("Vendor"), "alpaca");
  const secret = screen.getByLabelText("Key");
  await userEvent.type(secret, "PKEXAMPLE");
  expect(screen.getByRole("button", { name: "Store key" })).toBeDisabled();
  await userEvent.type(secret, ":0123456789");
  await userEvent.click(screen.getByRole("button", { name: "Store key" }));
  expect(await screen.findByText("PKEX...6789")).toBeVisible();
  expect(secret).toHaveValue("");
  const sent = asked.find((request) => request.method === "POST" && request.url.includes("source"));
  expect(await sent?.json()).toEqual({
    name: "paper",
    source: "alpaca",
    key: "PKEXAMPLE:0123456789",
  });
});
