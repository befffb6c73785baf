/** Instants in the zone the reader chose; the zone is always written beside them. */

import { useSyncExternalStore } from "react";

export type Zone = "UTC" | "local";

const KEY = "signalbox.zone";
const listeners = new Set<() => void>();
let zone: Zone = localStorage.getItem(KEY) === "local" ? "local" : "UTC";

export function useZone(): Zone {
  return useSyncExternalStore(
    (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    () => zone,
  );
}

export function chooseZone(chosen: Zone): void {
  zone = chosen;
  localStorage.setItem(KEY, chosen);
  for (const listener of listeners) listener();
}

/** The IANA name of a zone. */
export function zoneName(of: Zone): string {
  return of === "UTC" ? "UTC" : Intl.DateTimeFormat().resolvedOptions().timeZone;
}

/** 2026-11-22 01:00 UTC; with seconds where they matter. */
export function instant(at: string | number | Date, of: Zone, precise = false): string {
  const parts = new Intl.DateTimeFormat("en-CA", {
    timeZone: zoneName(of),
    year: "numeric",
    month: "2-digit",
    day: "2-digit",
    hour: "2-digit",
    minute: "2-digit",
    second: precise ? "2-digit" : undefined,
    hourCycle: "h23",
    timeZoneName: "short",
  }).formatToParts(new Date(at));
  const part = (type: string): string => parts.find((each) => each.type === type)?.value ?? "";
  const time = [part("hour"), part("minute"), ...(precise ? [part("second")] : [])].join(":");
  return `${part("year")}-${part("month")}-${part("day")} ${time} ${part("timeZoneName")}`;
}

/** The day alone: 2026-11-22. */
export function day(at: string | number | Date, of: Zone): string {
  return instant(at, of).slice(0, 10);
}
