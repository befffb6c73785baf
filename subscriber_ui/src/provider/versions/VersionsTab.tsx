import { useQuery } from "@tanstack/react-query";

import { Awaited, Lines } from "../../elements/Awaited";
import { EmptyState } from "../../elements/EmptyState";
import { RouterButton } from "../../elements/RouterLink";
import { Section } from "../../elements/Section";
import { useHandle } from "../handle";
import { versions } from "../queries";
import { versionsRoute } from "../routes";
import { PublishLog } from "./PublishLog";
import { VersionDetail } from "./VersionDetail";
import { VersionTable } from "./VersionTable";
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
          return (
            <Section title="Versions">
              <EmptyState
                title="Nothing was pushed yet"
                action={
                  <RouterButton to="/provider" variant="contained">
                    Show me how
                  </RouterButton>
                }
              >
                Push a tag such as v0.1.0, and its version appears here while it is built.
              </EmptyState>
            </Section>
          );
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
