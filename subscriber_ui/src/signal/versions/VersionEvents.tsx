import Box from "@mui/material/Box";
import Typography from "@mui/material/Typography";
import { useQuery } from "@tanstack/react-query";

import { Awaited } from "../../elements/Awaited";
import { StateBadge } from "../../elements/StateBadge";
import { Instant } from "../../format/Instant";
import { eventsQuery, type Name } from "../queries";

/** Its states over time and who moved it; told to its provider and to operators. */
export function VersionEvents({ path, version }: { path: Name; version: string }) {
  const events = useQuery(eventsQuery(path, version));
  return (
    <Awaited query={events}>
      {({ items }) => (
        <Box component="ol" sx={{ listStyle: "none", p: 0, m: 0 }}>
          {items.map((event) => (
            <Typography
              key={`${event.at} ${event.to_state}`}
              component="li"
              variant="body2"
              sx={{ mb: 0.75 }}
            >
              <Instant at={event.at} /> <StateBadge state={event.to_state} />{" "}
              {event.actor === null ? "by the platform" : `by ${event.actor}`}: {event.why}
            </Typography>
          ))}
        </Box>
      )}
    </Awaited>
  );
}
