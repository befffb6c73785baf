/** Signals that this browser keeps an eye on: kept here alone, told to nobody. */

import { useSyncExternalStore } from "react";

import { names } from "./search";

const KEY = "signalbox.watched";
const AT_MOST = 50;
const listeners = new Set<() => void>();
let watched: string[] = read();

export function useWatched(): string[] {
  return useSyncExternalStore(subscribe, () => watched);
}

/** Watch a signal, or no longer. */
export function toggleWatched(signal: string): void {
  watched = watched.includes(signal)
    ? watched.filter((each) => each !== signal)
    : [signal, ...watched].slice(0, AT_MOST);
  localStorage.setItem(KEY, JSON.stringify(watched));
  tell();
}

function read(): string[] {
  try {
    const kept: unknown = JSON.parse(localStorage.getItem(KEY) ?? "[]");
    return Array.isArray(kept) ? kept.flatMap((each) => names([each])).slice(0, AT_MOST) : [];
  } catch {
    return []; // somebody else's words under our key
  }
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

function tell(): void {
  for (const listener of listeners) listener();
}

globalThis.addEventListener("storage", (event) => {
  if (event.key !== KEY) return;
  watched = read();
  tell();
});
