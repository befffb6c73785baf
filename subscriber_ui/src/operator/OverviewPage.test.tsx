import { screen, within } from "@testing-library/react";
import { afterEach, expect, test, vi } from "vitest";

import { HEALTH, openDesk, problem } from "./atDesk";

afterEach(() => {
  vi.restoreAllMocks();
});

const BEHIND_OUR_DOOR = { ...HEALTH, dagster_url: `${location.origin}/dagster` };

function openedTab() {
  const replace = vi.fn();
  const close = vi.fn();
  const tab = { opener: window, location: { replace }, close };
  vi.spyOn(window, "open").mockReturnValue(tab as unknown as Window);
  return { replace, close };
}

test("Dagster behind our door is shown when the door is open", async () => {
  const tab = openedTab();
  const asked = openDesk("/operator", {
    "GET /v1/admin/health": { body: BEHIND_OUR_DOOR },
    "POST /v1/admin/dagster/session": { body: null },
  });
  (await screen.findByRole("link", { name: "Open in Dagster" })).click();
  await vi.waitFor(() => {
    expect(tab.replace).toHaveBeenCalledWith(BEHIND_OUR_DOOR.dagster_url);
  });
  expect(asked.map((url) => url.pathname)).toContain("/v1/admin/dagster/session");
});

test("a door that stays shut says why, and leaves no empty tab", async () => {
  const tab = openedTab();
  openDesk("/operator", {
    "GET /v1/admin/health": { body: BEHIND_OUR_DOOR },
    "POST /v1/admin/dagster/session": problem(403, "totp_required_for_operators", "Enrol."),
  });
  (await screen.findByRole("link", { name: "Open in Dagster" })).click();
  expect(await screen.findByText(/Enrol/)).toBeVisible();
  expect(tab.close).toHaveBeenCalled();
  expect(tab.replace).not.toHaveBeenCalled();
});

test("the overview shows rooms, counts, what waits, and the way into Dagster", async () => {
  openDesk("/operator", {});
  const ticks = await screen.findByRole("table", { name: "Ticks" });
  expect(within(ticks).getByText("4 min 12 s")).toBeVisible();
  expect(within(ticks).getByRole("link", { name: "Late and missed" })).toHaveAttribute(
    "href",
    "/operator/slots?from=2026-11-22&to=2026-11-22",
  );
  expect(screen.getByRole("link", { name: "Open in Dagster" })).toHaveAttribute(
    "href",
    "https://dagster.example.org",
  );
  expect(screen.getByText("no mail server is set up; 6 letters are kept")).toBeVisible();
  const queues = screen.getByRole("table", { name: "Queues" });
  expect(within(queues).getByRole("row", { name: /Letters/ })).toHaveTextContent("6");
  expect(screen.getByRole("img", { name: /the slowest took 252 s/ })).toBeVisible();
});

test("what was not measured is no zero, and says why", async () => {
  openDesk("/operator", {});
  const sandboxes = await screen.findByRole("table", { name: "Sandboxes" });
  expect(within(sandboxes).getAllByLabelText(/No run of this path was measured/)).toHaveLength(2);
  const feeds = screen.getByRole("table", { name: "Feeds" });
  expect(within(feeds).getByLabelText("none: No bar of it ever came.")).toBeVisible();
});

test("a platform that did nothing yet says what comes first", async () => {
  const nothing = { ...HEALTH, feeds: [], recent_ticks: [], sandboxes: [], dagster_url: null };
  openDesk("/operator", { "GET /v1/admin/health": { body: nothing } });
  expect(await screen.findByText("No slot was recorded in 24 hours")).toBeVisible();
  expect(screen.getByText("No live version reads a symbol")).toBeVisible();
  expect(screen.getByLabelText(/SIGNALBOX_DAGSTER_URL/)).toBeVisible();
});

test("an operator without a second factor is led to where it is set up", async () => {
  openDesk("/operator", {
    "GET /v1/admin/health": problem(403, "totp_required_for_operators", "Enrol."),
  });
  const way = await screen.findByRole("link", { name: "Set it up" });
  expect(way).toHaveAttribute("href", "/settings/security");
  expect(screen.queryByRole("heading", { level: 1 })).toBeNull();
});

test("what the API refuses is said in its words, and asked again", async () => {
  let broken = true;
  openDesk("/operator/feeds", {
    "GET /v1/admin/health": () =>
      broken ? problem(400, "invalid_request", "That is wrong.") : { body: HEALTH },
  });
  expect(await screen.findByText(/That is wrong/)).toBeVisible();
  broken = false;
  screen.getByRole("button", { name: "Try again" }).click();
  expect(await screen.findByRole("table", { name: "Feeds" })).toHaveTextContent("EURUSD");
});
