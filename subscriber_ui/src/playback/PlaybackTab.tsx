import Skeleton from "@mui/material/Skeleton";
import { useQuery } from "@tanstack/react-query";

import { Awaited } from "../elements/Awaited";
import { EmptyState } from "../elements/EmptyState";
import { RouterButton } from "../elements/RouterLink";
import { Section } from "../elements/Section";
import { signalRoute } from "../signal/frame";
import { askRange, askSignal } from "./asking";
import { PlayedSignal } from "./PlayedSignal";

/** A signal's past, as it was known at each hour of it. */
export function PlaybackTab() {
  const { provider, name } = signalRoute.useParams();
  const query = useQuery({
    queryKey: ["playback", provider, name],
    queryFn: async () => {
      const [signal, range] = await Promise.all([
        askSignal(provider, name),
        askRange(provider, name),
      ]);
      return { signal, range };
    },
    staleTime: Infinity, // the newest instant is asked for anew by its button
  });
  return (
    <Section
      title="Playback"
      lead="What could be seen at each hour, and nothing that was known later."
    >
      <Awaited query={query} skeleton={<Skeleton variant="rounded" height={720} />}>
        {({ signal, range }) => {
          const [symbol, horizon] = [signal.symbols[0], signal.horizons_hours[0]];
          if (range.until === null) {
            return (
              <EmptyState
                title="Nothing is revealed yet"
                action={
                  <RouterButton to="/signals/$provider/$name" params={{ provider, name }}>
                    See the offer
                  </RouterButton>
                }
              >
                Subscribers play this signal back to the present hour.
              </EmptyState>
            );
          }
          if (symbol === undefined || horizon === undefined || range.first_slots.length === 0) {
            return (
              <EmptyState title="No slot yet">
                The first forecast is due at the full hour after a version is live.
              </EmptyState>
            );
          }
          return (
            <PlayedSignal
              signal={signal}
              range={{ ...range, until: range.until }}
              fallback={{ symbol, horizon }}
            />
          );
        }}
      </Awaited>
    </Section>
  );
}
