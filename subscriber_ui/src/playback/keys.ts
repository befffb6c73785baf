/** Keys of a playback: space, arrows (a day with Shift), Home, End. */

import { useEffect } from "react";

import type { Stage } from "./usePlayer";

const DAY_HOURS = 24;

export function useKeys(stage: Stage, onNewest: () => void): void {
  useEffect(() => {
    const pressed = (event: KeyboardEvent): void => {
      if (event.ctrlKey || event.metaKey || event.altKey || isTaken(event)) return;
      const act = actOf(event, stage, onNewest);
      if (act === null) return;
      event.preventDefault();
      act();
    };
    document.addEventListener("keydown", pressed);
    return () => document.removeEventListener("keydown", pressed);
  }, [stage, onNewest]);
}

function actOf(event: KeyboardEvent, stage: Stage, onNewest: () => void): (() => void) | null {
  const { player } = stage;
  const now = performance.now();
  const hours = event.shiftKey ? DAY_HOURS : 1;
  switch (event.key) {
    case " ":
      return () => (player.state.playing ? player.pause() : player.play(now));
    case "ArrowRight":
      return () => player.step(hours, now);
    case "ArrowLeft":
      return () => player.step(-hours, now);
    case "Home":
      return () => player.seek(player.bounds.from, now);
    case "End":
      return onNewest;
    default:
      return null;
  }
}

const MOVE = "input, select, textarea, [role=tab], [role=combobox], [role=listbox], [role=option]";
const OPEN = "[role=menu], [role=dialog]";
const PRESSED = "a, button";

/** Whether what has the focus has a use of its own for the key. */
function isTaken({ target, key }: KeyboardEvent): boolean {
  if (!(target instanceof HTMLElement) || target.getAttribute("aria-label") === "Instant") {
    return false;
  }
  const taking = key === " " ? `${MOVE}, ${OPEN}, ${PRESSED}` : `${MOVE}, ${OPEN}`;
  return target.closest(taking) !== null;
}
