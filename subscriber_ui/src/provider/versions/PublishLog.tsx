import Box from "@mui/material/Box";
import LinearProgress from "@mui/material/LinearProgress";
import Typography from "@mui/material/Typography";
import { useQuery } from "@tanstack/react-query";

import { Awaited, Lines } from "../../elements/Awaited";
import { Section } from "../../elements/Section";
import { StateBadge } from "../../elements/StateBadge";
import { duration } from "../../format/durations";
import { Instant } from "../../format/Instant";
import { useNow } from "../../format/useNow";
import { type Path, type Version, type VersionEvent, versionEvents } from "../queries";
import { adviceOn } from "./rejections";

/** Every change of a version's state, as it happens. */
export function PublishLog({ path, version }: { path: Path; version: Version }) {
  const events = useQuery(versionEvents(path, version.version));
  return (
    <Section
      title="Publish log"
      lead={`${version.version}: each change of its state, when, by whom and why, as it happens.`}
    >
      <Awaited query={events} skeleton={<Lines count={2} height={34} />}>
        {({ items }) => (
          <>
            <div role="log" aria-label={`Events of ${version.version}`}>
              <Box component="ol" sx={{ listStyle: "none", p: 0, m: 0 }}>
                {items.map((event, at) => (
                  <Entry key={`${event.at} ${event.to_state} ${at}`} event={event} />
                ))}
              </Box>
            </div>
            {version.state === "building" && <Building since={version.reserved_at} />}
          </>
        )}
      </Awaited>
    </Section>
  );
}

function Entry({ event }: { event: VersionEvent }) {
  const advice = event.to_state === "rejected" ? adviceOn(event.why) : null;
  return (
    <Box
      component="li"
      sx={{
        display: "grid",
        gridTemplateColumns: { xs: "1fr", sm: "200px 96px 1fr" },
        gap: { xs: 0.25, sm: 1.5 },
        py: 1,
        borderBottom: 1,
        borderColor: "divider",
        "&:last-of-type": { borderBottom: 0 },
        fontVariantNumeric: "tabular-nums",
      }}
    >
      <Typography variant="body2" color="textSecondary" component="div">
        <Instant at={event.at} precise />
      </Typography>
      <div>
        <StateBadge state={event.to_state} />
      </div>
      <Box sx={{ minWidth: 0 }}>
        <Typography
          variant="body2"
          component="div"
          sx={{ overflowWrap: "anywhere", whiteSpace: "pre-wrap" }}
        >
          {event.why}
        </Typography>
        <Typography variant="caption" color="textSecondary" component="div">
          by {event.actor ?? "the platform"}
          {advice !== null && ` · ${advice}`}
        </Typography>
      </Box>
    </Box>
  );
}

function Building({ since }: { since: string }) {
  const seconds = (useNow() - Date.parse(since)) / 1000;
  return (
    <Box sx={{ py: 1 }}>
      <Typography variant="body2" color="textSecondary">
        Building for {duration(seconds)}. The terminal that pushed shows each step.
      </Typography>
      <LinearProgress aria-label="Building" sx={{ mt: 1 }} />
    </Box>
  );
}
