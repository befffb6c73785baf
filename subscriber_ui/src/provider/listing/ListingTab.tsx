import Skeleton from "@mui/material/Skeleton";
import { useQuery } from "@tanstack/react-query";

import { Awaited } from "../../elements/Awaited";
import { useHandle } from "../handle";
import { ownSignal } from "../queries";
import { ownSignalRoute } from "../routes";
import { DeleteSignal } from "./DeleteSignal";
import { Repository } from "./Repository";
import { TextForm } from "./TextForm";
import { Visibility } from "./Visibility";

/** What people read of the signal, and whether they find it. */
export function ListingTab() {
  const { name } = ownSignalRoute.useParams();
  const signal = useQuery(ownSignal({ provider: useHandle(), name }));
  return (
    <Awaited query={signal} skeleton={<Skeleton variant="rounded" height={420} />}>
      {(found) => (
        <>
          <Visibility signal={found} />
          <TextForm key={`${found.title} ${found.description}`} signal={found} />
          <Repository signal={found} />
          <DeleteSignal signal={found} />
        </>
      )}
    </Awaited>
  );
}
