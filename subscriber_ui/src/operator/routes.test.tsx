import { screen } from "@testing-library/react";
import { expect, test } from "vitest";

import { openDesk } from "./atDesk";

test("who is no operator does not see the desk, and nothing of it is asked for", async () => {
  const asked = openDesk("/operator", {
    "GET /v1/auth/me": { body: { handle: "sam", email: "s@example.org", role: "member" } },
  });
  expect(await screen.findByText("There is no page at this address")).toBeVisible();
  expect(screen.queryByRole("navigation", { name: "Operator" })).toBeNull();
  expect(asked.filter((url) => url.pathname.startsWith("/v1/admin"))).toEqual([]);
});
