import { fireEvent, render, screen, waitFor } from "@testing-library/react";
import { expect, it } from "vitest";

import { emptyPiece } from "./emptyPiece";
import { useKeys } from "./keys";
import { HOUR } from "./player";
import { Transport } from "./Transport";
import { Stage } from "./usePlayer";

const T0 = 1_789_999_200;
const BOUNDS = { from: T0, until: T0 + 100 * HOUR, decidedAfter: 600 };

function Controls({ stage }: { stage: Stage }) {
  const toNewest = () => stage.player.seek(stage.player.bounds.until, 0);
  useKeys(stage, toNewest);
  return <Transport stage={stage} onNewest={toNewest} onSpeed={() => undefined} />;
}

async function shown() {
  const asked: number[] = [];
  const ask = (at: number) => {
    asked.push(at);
    return Promise.resolve(emptyPiece(at));
  };
  const stage = new Stage({ ...BOUNDS }, ask, 6);
  render(<Controls stage={stage} />);
  stage.player.seek(T0 + 50 * HOUR, 0);
  await waitFor(() => expect(stage.player.state.shown).toBe(T0 + 50 * HOUR));
  return { stage, asked };
}

it("steps by buttons and keys, an hour or a day, and asks for nothing to go back", async () => {
  const { stage, asked } = await shown();
  fireEvent.click(screen.getByRole("button", { name: "Step back" }));
  expect(stage.player.state.shown).toBe(T0 + 49 * HOUR + 600);
  fireEvent.keyDown(document.body, { key: "ArrowLeft", shiftKey: true });
  expect(stage.player.state.shown).toBe(T0 + 25 * HOUR + 600);
  fireEvent.keyDown(document.body, { key: "Home" });
  expect(stage.player.state.shown).toBe(T0);
  expect(asked).toEqual([T0 + 50 * HOUR]);
  fireEvent.keyDown(document.body, { key: "End" });
  await waitFor(() => expect(stage.player.state.shown).toBe(BOUNDS.until));
});

it("leaves keys to controls that have a use of their own for them", async () => {
  const { stage } = await shown();
  const button = screen.getByRole("button", { name: "Jump to newest" });
  fireEvent.keyDown(button, { key: " " });
  expect(stage.player.state.playing).toBe(false);
  fireEvent.keyDown(screen.getByRole("slider", { name: "Instant" }), { key: " " });
  expect(stage.player.state.playing).toBe(true);
});

it("plays and pauses by one button that says which", async () => {
  const { stage } = await shown();
  fireEvent.click(screen.getByRole("button", { name: "Play" }));
  expect(stage.player.state.playing).toBe(true);
  fireEvent.click(await screen.findByRole("button", { name: "Pause" }));
  expect(stage.player.state.playing).toBe(false);
});

it("scrubs to the decision before the place of the slider, and tells it in words", async () => {
  const { stage } = await shown();
  const slider = screen.getByRole("slider", { name: "Instant" });
  fireEvent.input(slider, { target: { value: String(T0 + 30 * HOUR + 900) } });
  expect(stage.player.state.shown).toBe(T0 + 30 * HOUR + 600);
  await waitFor(() => expect(slider.getAttribute("aria-valuetext")).toMatch(/:10 UTC$/));
});

it("has nothing to jump to while no forecast is resolved", async () => {
  await shown();
  expect(screen.getByRole("button", { name: "Jump to best" })).toBeDisabled();
  expect(screen.getByRole("button", { name: "Jump to worst" })).toBeDisabled();
});
