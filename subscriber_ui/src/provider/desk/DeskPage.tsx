import Skeleton from "@mui/material/Skeleton";
import { useQuery } from "@tanstack/react-query";

import { Awaited } from "../../elements/Awaited";
import { PageHead } from "../../elements/PageHead";
import { RouterButton } from "../../elements/RouterLink";
import { type OwnSignal, ownSignals } from "../queries";
import { FirstSignal } from "./FirstSignal";
import { Refused } from "./Refused";
import { SignalTable } from "./SignalTable";
import { Totals } from "./Totals";

/** A provider's signals at a glance; how to make the first one, until one was live. */
export function DeskPage() {
  const signals = useQuery(ownSignals());
  return (
    <>
      <PageHead
        title="My signals"
        lead="What runs, what became of the last hour, who reads it, and what it brings."
        actions={
          <RouterButton to="/provider/new" variant="contained">
            New signal
          </RouterButton>
        }
      />
      <Awaited query={signals} skeleton={<Skeleton variant="rounded" height={360} />}>
        {({ items }) => (
          <>
            {items.some(wasPublished) && <Totals signals={items} />}
            {items.map((each) => (
              <Refused key={each.signal} signal={each} />
            ))}
            {items.length > 0 && <SignalTable signals={items} />}
            {!items.some(wasPublished) && <FirstSignal signals={items} />}
          </>
        )}
      </Awaited>
    </>
  );
}

function wasPublished(signal: OwnSignal): boolean {
  return (
    signal.live_versions.length > 0 ||
    signal.last_slot !== null ||
    ["live", "offline", "retired"].includes(signal.last_push?.state ?? "")
  );
}
