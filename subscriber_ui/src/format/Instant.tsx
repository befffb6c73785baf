import { instant, useZone } from "./instants";

/** An instant in the chosen zone, with the zone. */
export function Instant({ at, precise = false }: { at: string | number; precise?: boolean }) {
  const zone = useZone();
  return (
    <time dateTime={new Date(at).toISOString()} style={{ whiteSpace: "nowrap" }}>
      {instant(at, zone, precise)}
    </time>
  );
}
