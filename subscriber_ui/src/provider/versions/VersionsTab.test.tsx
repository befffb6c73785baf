import { screen, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { expect, test } from "vitest";

import { LISTED, LIVE, openDesk, page, PUSHED, REJECTED } from "../atDesk";
import type { Version, VersionEvent } from "../queries";

const SIGNAL = { "GET /v1/signals/ada/tide": { body: LISTED } };
const VERSIONS = "GET /v1/signals/ada/tide/versions";
const EVENTS = (version: string) => `GET /v1/signals/ada/tide/versions/${version}/events`;

test("a refused version says why in full and what to do", async () => {
  openDesk("/provider/signals/tide", {
    ...SIGNAL,
    [VERSIONS]: page(REJECTED, LIVE),
    [EVENTS("v1.1.0")]: page(PUSHED),
  });
  expect(await screen.findByText(/offer.trial_days: expected/)).toBeVisible();
  expect(screen.getByText(/Mend that field of signal.toml/)).toBeVisible();
  expect(screen.getByText("rejected · now")).toBeVisible();
  const row = screen.getByRole("row", { name: /v1\.1\.0/ });
  expect(within(row).queryByRole("button")).toBeNull();
});

test("the publish log goes on as the stream tells of the push", async () => {
  let version: Version = { ...REJECTED, state: "building", why: null };
  let events: VersionEvent[] = [PUSHED];
  const { tell } = openDesk("/provider/signals/tide", {
    ...SIGNAL,
    [VERSIONS]: () => page(version, LIVE),
    [EVENTS("v1.1.0")]: () => page(...events),
  });
  const log = await screen.findByRole("region", { name: "Publish log" });
  expect(await within(log).findByText(/Building for/)).toBeVisible();
  version = REJECTED;
  const why = "the model did not answer: app.py";
  events = [PUSHED, { at: "2026-11-21T10:00:09Z", to_state: "rejected", actor: null, why }];
  tell("version.rejected", { signal: "ada/tide", version: "v1.1.0", at: "2026-11-21T10:00:09Z" });
  expect(await within(log).findByText(why)).toBeVisible();
  expect(within(log).queryByText(/Building for/)).toBeNull();
});

test("retiring says what it means, and wants the version written", async () => {
  const { asked } = openDesk("/provider/signals/tide", {
    ...SIGNAL,
    [VERSIONS]: page(LIVE),
    [EVENTS("v1.0.0")]: page(PUSHED),
    "POST /v1/signals/ada/tide/versions/v1.0.0/retire": { body: { ...LIVE, state: "retired" } },
  });
  await userEvent.click(await screen.findByRole("button", { name: "Retire v1.0.0" }));
  const dialog = await screen.findByRole("dialog", { name: "Retire v1.0.0 for good" });
  expect(dialog).toHaveTextContent("nobody can bring it back");
  const confirm = within(dialog).getByRole("button", { name: "Retire" });
  expect(confirm).toBeDisabled();
  await userEvent.type(within(dialog).getByRole("textbox", { name: /Reason/ }), "worse than naive");
  await userEvent.type(within(dialog).getByRole("textbox", { name: /Write v1/ }), "v1.0.0");
  await userEvent.click(confirm);
  const sent = asked.find((request) => request.url.endsWith("/retire"));
  expect(await sent?.json()).toEqual({ why: "worse than naive" });
});
