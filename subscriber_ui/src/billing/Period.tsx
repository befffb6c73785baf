import type { Schemas } from "../api/client";
import { day, useZone } from "../format/instants";

/** The days of a paid period, from the first to where it ends. */
export function Period({ of }: { of: Pick<Schemas["Invoice"], "period_start" | "period_end"> }) {
  const zone = useZone();
  return (
    <span style={{ whiteSpace: "nowrap" }}>
      {day(of.period_start, zone)} to {day(of.period_end, zone)}
    </span>
  );
}
