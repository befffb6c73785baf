// What the app knows of remembered.js.
import type { Report } from "./verify.js";

export function remember(
  storage: Pick<Storage, "getItem" | "setItem">,
  report: Pick<Report, "checkpoint" | "olderRoots">,
  note: string,
): void;
