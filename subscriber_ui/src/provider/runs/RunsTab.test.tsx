import { screen, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { expect, test } from "vitest";

import { LISTED, LIVE, openDesk, page, run } from "../atDesk";

const RUNS = "GET /v1/signals/ada/tide/versions/v1.0.0/runs";
const LOGS = "GET /v1/signals/ada/tide/versions/v1.0.0/logs";
const MISSED = run("2026-11-22T01:00:00Z", {
  provenance: "missed",
  proven: "missed",
  reason: "error: ValueError",
  leaf_index: 1040,
});
const ANSWERS = {
  "GET /v1/signals/ada/tide": { body: LISTED },
  "GET /v1/signals/ada/tide/versions": page(LIVE),
  [RUNS]: page(run("2026-11-22T02:00:00Z"), MISSED),
};

test("runs show each hour's end, reason and cost, and the strip says it in words", async () => {
  openDesk("/provider/signals/tide/runs", ANSWERS);
  const table = await screen.findByRole("table", { name: "Runs" });
  const row = within(table).getByRole("row", { name: /01:00/ });
  expect(row).toHaveTextContent("missed");
  expect(row).toHaveTextContent("error: ValueError");
  expect(row).toHaveTextContent("1,040");
  expect(
    screen.getByRole("img", { name: "The last 14 days: 2 due hours, 1 live, 1 missed." }),
  ).toBeVisible();
});

test("the address filters, and a filter is asked of the API", async () => {
  const { asked } = openDesk("/provider/signals/tide/runs?proven=missed&day=2026-11-22", ANSWERS);
  await screen.findByRole("table", { name: "Runs" });
  const filtered = asked.map((request) => new URL(request.url).searchParams);
  expect(filtered.map((search) => search.get("provenance"))).toContain("missed");
  expect(filtered.map((search) => [search.get("from"), search.get("to")])).toContainEqual([
    "2026-11-22T00:00:00Z",
    "2026-11-23T00:00:00Z",
  ]);
});

test("an hour's log opens with its reason and what to do", async () => {
  const log = "Traceback: no rates";
  const { asked } = openDesk("/provider/signals/tide/runs", {
    ...ANSWERS,
    [LOGS]: page({ ...MISSED, log }),
  });
  await userEvent.click(await screen.findByRole("button", { name: "Log of 2026-11-22T01:00:00Z" }));
  const dialog = await screen.findByRole("dialog", { name: /Log of v1.0.0/ });
  expect(await within(dialog).findByText(log)).toBeVisible();
  expect(dialog).toHaveTextContent("publish a greater version");
  const search = new URL(asked.at(-1)?.url ?? "").searchParams;
  expect([search.get("from"), search.get("to")]).toEqual([
    "2026-11-22T01:00:00Z",
    "2026-11-22T02:00:00Z",
  ]);
});
