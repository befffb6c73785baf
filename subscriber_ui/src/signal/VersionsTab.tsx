import Skeleton from "@mui/material/Skeleton";
import { useQuery } from "@tanstack/react-query";

import { signalQuery } from "../api/signals";
import { Awaited } from "../elements/Awaited";
import { EmptyState } from "../elements/EmptyState";
import { signalRoute } from "./frame";
import { versionsQuery } from "./queries";
import { VersionPanel } from "./versions/VersionPanel";

/** What runs, by digests: code, packages, image, and what was found about it. */
export function VersionsTab() {
  const path = signalRoute.useParams();
  const versions = useQuery(versionsQuery(path));
  const signal = useQuery(signalQuery(`${path.provider}/${path.name}`));
  return (
    <Awaited query={versions} skeleton={<Skeleton variant="rounded" height={480} />}>
      {({ items }) =>
        items.length === 0 ? (
          <EmptyState title="No version yet">
            One is made by a git push of a version tag.
          </EmptyState>
        ) : (
          items.map((version, at) => (
            <VersionPanel
              key={version.version}
              path={path}
              version={version}
              isOpen={at === 0}
              isOwn={signal.data?.is_own === true}
            />
          ))
        )
      }
    </Awaited>
  );
}
