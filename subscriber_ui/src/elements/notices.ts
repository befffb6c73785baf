/** Short messages at the edge of the page: what was just done. */

import { useSyncExternalStore } from "react";

export interface Notice {
  text: string;
  severity: "success" | "info" | "error";
  key: number;
}

let shown: Notice | null = null;
let key = 0;
const listeners = new Set<() => void>();

export function notify(text: string, severity: Notice["severity"] = "success"): void {
  key += 1;
  shown = { text, severity, key };
  tell();
}

export function dismissNotice(): void {
  shown = null;
  tell();
}

export function useNotice(): Notice | null {
  return useSyncExternalStore(
    (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    () => shown,
  );
}

function tell(): void {
  for (const listener of listeners) listener();
}
