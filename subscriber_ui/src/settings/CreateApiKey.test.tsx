import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { render, screen, waitFor, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { beforeEach, expect, test, vi } from "vitest";

import type { Schemas } from "../api/client";
import { CreateApiKey } from "./CreateApiKey";

const KEY: Schemas["ApiKeyWithSecret"] = {
  id: "1",
  prefix: "sk_test_1",
  name: "my bot",
  scopes: ["read"],
  created_at: "2026-11-22T00:00:00Z",
  key: "sk_test_1_secret",
};
const bodies: unknown[] = [];
let refused: object | null = null;

beforeEach(() => {
  bodies.length = 0;
  refused = null;
  vi.stubGlobal("fetch", async (request: Request) => {
    bodies.push(await request.json());
    return refused === null
      ? Response.json(KEY, { status: 201 })
      : Response.json(refused, { status: 400 });
  });
  render(
    <QueryClientProvider client={new QueryClient()}>
      <CreateApiKey />
    </QueryClientProvider>,
  );
});

async function open() {
  await userEvent.click(screen.getByRole("button", { name: "Create API key" }));
  return screen.findByRole("dialog", { name: "New API key" });
}

test("a key is shown once, and gone when it is kept", async () => {
  const dialog = await open();
  await userEvent.type(within(dialog).getByLabelText(/Name/), "my bot");
  await userEvent.click(within(dialog).getByRole("button", { name: "Create" }));
  expect(await screen.findByText("sk_test_1_secret")).toBeVisible();
  expect(bodies).toEqual([{ name: "my bot", scopes: ["read"], expires_in_days: 90 }]);
  await userEvent.keyboard("{Escape}");
  expect(screen.getByText("sk_test_1_secret")).toBeVisible();
  await userEvent.click(screen.getByRole("button", { name: "I have kept it" }));
  await waitFor(() => expect(screen.queryByText("sk_test_1_secret")).toBeNull());
});

test("a key without a scope cannot be asked for", async () => {
  const dialog = await open();
  await userEvent.click(within(dialog).getByLabelText(/^read/));
  expect(within(dialog).getByRole("button", { name: "Create" })).toBeDisabled();
});

test("what the API finds wrong with the name stands at the name", async () => {
  refused = {
    code: "invalid_request",
    status: 400,
    title: "The request is not valid",
    detail: "Mend the fields.",
    errors: [{ field: "name", message: "is too long" }],
  };
  const dialog = await open();
  await userEvent.type(within(dialog).getByLabelText(/Name/), "x");
  await userEvent.click(within(dialog).getByRole("button", { name: "Create" }));
  expect(await within(dialog).findByText("is too long")).toBeVisible();
  expect(within(dialog).getByLabelText(/Name/)).toBeInvalid();
  expect(screen.queryByText("sk_test_1_secret")).toBeNull();
});
