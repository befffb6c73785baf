/** Where Dagster shows what the desk speaks of, and how one gets in. */

import { answer, api } from "../api/client";
import { notify } from "../elements/notices";

/**
 * Is Dagster at this address of ours, where the proxy asks the API whom to let in?
 * One at another address, such as a demonstration's, has no door that we could open.
 */
export function isBehindOurDoor(dagster: string): boolean {
  return new URL(dagster, location.href).origin === location.origin;
}

/** Have the door opened for this browser, then show the page in a tab of its own. */
export async function openBehindDoor(address: string): Promise<void> {
  // Now, while the browser knows that somebody clicked.
  const tab = window.open("", "_blank");
  if (tab !== null) tab.opener = null;
  try {
    await answer(api.POST("/v1/admin/dagster/session"));
  } catch (error) {
    tab?.close();
    notify(error instanceof Error ? error.message : String(error), "error");
    return;
  }
  if (tab === null) location.assign(address);
  else tab.location.replace(address);
}

/** A run by its id. */
export function runAddress(dagster: string, run: string): string {
  return `${base(dagster)}/runs/${encodeURIComponent(run)}`;
}

/** The asset of a version, at the partition of a slot: there it is materialized again. */
export function slotAddress(
  dagster: string,
  of: { signal: string; version: string; as_of: string },
): string {
  const key = ["signals", ...of.signal.split("/"), of.version].map(encodeURIComponent).join("/");
  const partition = encodeURIComponent(partitionKey(of.as_of));
  return `${base(dagster)}/assets/${key}?view=partitions&partition=${partition}`;
}

/** The figures of a day, or of any day: there they are computed anew. */
export function figuresAddress(dagster: string, day: string | undefined): string {
  const address = `${base(dagster)}/assets/usage/business?view=partitions`;
  return day === undefined ? address : `${address}&partition=${day}`;
}

/** Dagster's name of a slot: 2026-11-22-01:00, UTC. */
export function partitionKey(slot: string): string {
  const [day = "", time = ""] = new Date(slot).toISOString().split("T");
  return `${day}-${time.slice(0, 5)}`;
}

function base(dagster: string): string {
  return dagster.replace(/\/+$/, "");
}
