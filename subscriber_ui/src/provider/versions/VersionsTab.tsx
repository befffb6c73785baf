import { useQuery } from "@tanstack/react-query";

import { Awaited, Lines } from "../../elements/Awaited";
import { useHandle } from "../handle";
import { versions } from "../queries";
import { versionsRoute } from "../routes";
import { PublishLog } from "./PublishLog";
import { VersionDetail } from "./VersionDetail";
import { VersionTable } from "./VersionTable";
import { FirstPush } from "./FirstPush";
import { newestPush } from "./newestPush";

/** Every version that was pushed; one of them in full. */
export function VersionsTab() {
  const { name } = versionsRoute.useParams();
  const { version: chosen } = versionsRoute.useSearch();
  const path = { provider: useHandle(), name };
  const all = useQuery(versions(path));
  return (
    <Awaited query={all} skeleton={<Lines count={8} />}>
      {({ items }) => {
        const shown = items.find((each) => each.version === chosen) ?? newestPush(items);
        if (shown === undefined) {
          return <FirstPush name={name} />;
        }
        return (
          <>
            <VersionTable path={path} versions={items} chosen={shown.version} />
            <VersionDetail path={path} version={shown} />
            <PublishLog path={path} version={shown} />
          </>
        );
      }}
    </Awaited>
  );
}
