import { screen, waitFor, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { expect, test } from "vitest";

import { openDesk } from "./atDesk";
import type { AnyRun } from "./runs";

const MISSED: AnyRun = {
  id: 7,
  signal: "ada/tide",
  version: "v1.0.0",
  as_of: "2026-11-22T02:00:00Z",
  provenance: "missed",
  reason: "timeout: ran into 20 s",
  recorded_at: "2026-11-22T02:05:30Z",
  wall_ms: 20_000,
  cpu_ms: null,
  peak_memory_mb: null,
  engine: "docker",
  path: "forked",
  leaf_index: 12,
  dagster_run_id: "0c1d2e3f-aaaa",
  run_again_at: null,
};

// Columns of wide screens are there, and hidden from the test's narrow one.
test("a missed slot has its reason, its leaf, its run, and a way to run it again", async () => {
  openDesk("/operator/slots", { "GET /v1/admin/runs": { body: { items: [MISSED], next: null } } });
  const table = await screen.findByRole("table", { name: "Late and missed slots" });
  const row = within(table).getByRole("row", { name: /ada\/tide/ });
  expect(row).toHaveTextContent("timeout: ran into 20 s");
  expect(row).toHaveTextContent("5 min 30 s");
  expect(within(row).getByRole("link", { name: "12", hidden: true })).toHaveAttribute(
    "href",
    "/v1/log/proof?leaf=12",
  );
  expect(within(row).getByRole("link", { name: "0c1d2e3f", hidden: true })).toHaveAttribute(
    "href",
    "https://dagster.example.org/runs/0c1d2e3f-aaaa",
  );
  expect(
    within(row).getAllByRole("link", { name: "Open in Dagster", hidden: true })[0],
  ).toHaveAttribute(
    "href",
    "https://dagster.example.org/assets/signals/ada/tide/v1.0.0" +
      "?view=partitions&partition=2026-11-22-02%3A00",
  );
  expect(row).not.toHaveTextContent("run again");
});

test("a missed slot that was run again stays missed and says when", async () => {
  const again = { ...MISSED, run_again_at: "2026-11-22T02:50:00Z" };
  openDesk("/operator/slots", { "GET /v1/admin/runs": { body: { items: [again], next: null } } });
  const row = await screen.findByRole("row", { name: /ada\/tide/ });
  expect(row).toHaveTextContent("missed");
  expect(row).toHaveTextContent("run again 2026-11-22 02:50 UTC");
});

test("filters of the address are asked for, a last day whole", async () => {
  const asked = openDesk(
    "/operator/slots?outcome=late&signal=ada/tide&from=2026-11-20&to=2026-11-21&version=nonsense%20",
    { "GET /v1/admin/runs": { body: { items: [], next: null } } },
  );
  expect(await screen.findByText("No slot came late or was missed")).toBeVisible();
  const query = asked.find((url) => url.pathname === "/v1/admin/runs")?.searchParams;
  expect(Object.fromEntries(query ?? [])).toEqual({
    provenance: "late",
    signal: "ada/tide",
    version: "nonsense",
    from: "2026-11-20T00:00:00Z",
    to: "2026-11-22T00:00:00Z",
  });
});

test("what is typed into a filter is asked for once the typing pauses", async () => {
  const asked = openDesk("/operator/slots", {
    "GET /v1/admin/runs": { body: { items: [], next: null } },
  });
  const user = userEvent.setup();
  await user.type(await screen.findByLabelText("Signal"), "ada/tide");
  await waitFor(() => {
    const signals = asked.map((url) => url.searchParams.get("signal")).filter(Boolean);
    expect(signals).toEqual(["ada/tide"]);
  });
});

test("more is fetched where the page before ended", async () => {
  openDesk("/operator/slots", {
    "GET /v1/admin/runs": (url) =>
      url.searchParams.get("cursor") === "abc"
        ? { body: { items: [{ ...MISSED, id: 6, signal: "bob/ebb" }], next: null } }
        : { body: { items: [MISSED], next: "abc" } },
  });
  const user = userEvent.setup();
  await user.click(await screen.findByRole("button", { name: "Show more" }));
  expect(await screen.findByRole("row", { name: /bob\/ebb/ })).toBeVisible();
  expect(screen.getByRole("row", { name: /ada\/tide/ })).toBeVisible();
  expect(screen.queryByRole("button", { name: "Show more" })).toBeNull();
});
