/** Where Dagster shows what the desk speaks of. */

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
