import Box from "@mui/material/Box";
import Grid from "@mui/material/Grid";
import Skeleton from "@mui/material/Skeleton";
import Stack from "@mui/material/Stack";

import { Awaited } from "../elements/Awaited";
import { Figure } from "../elements/Figure";
import { PageHead } from "../elements/PageHead";
import { RouterLink } from "../elements/RouterLink";
import { Section } from "../elements/Section";
import { duration } from "../format/durations";
import { Instant } from "../format/Instant";
import { count } from "../format/numbers";
import { useNow } from "../format/useNow";
import { DagsterLink } from "./DagsterLink";
import { FeedsTable } from "./FeedsTable";
import { type Health, type Tick, useHealth } from "./health";
import { QueuesTable } from "./QueuesTable";
import { Rooms } from "./Rooms";
import { SandboxesTable } from "./SandboxesTable";
import { TickChart } from "./TickChart";
import { TicksTable } from "./TicksTable";

/** The whole house at a glance. */
export function OverviewPage() {
  const health = useHealth();
  return (
    <>
      <PageHead
        title="Operator"
        lead="What the platform did in the last 24 hours, and what waits. It is asked anew every 15 seconds."
        actions={<DagsterLink />}
      />
      <Awaited query={health} skeleton={<OverviewSkeleton />}>
        {(found) => <Overview health={found} />}
      </Awaited>
    </>
  );
}

function Overview({ health }: { health: Health }) {
  return (
    <>
      <Rooms health={health} />
      <Section
        title="Last 24 hours"
        actions={<RouterLink to="/operator/slots">Late and missed slots</RouterLink>}
      >
        <Counts health={health} />
        <TickChart ticks={health.recent_ticks} at={health.at} />
      </Section>
      <Grid container spacing={3}>
        <Grid size={{ xs: 12, lg: 6 }}>
          <Section title="Queues" lead="What waits for its turn, and since when." flush>
            <QueuesTable queues={health.queues} />
          </Section>
        </Grid>
        <Grid size={{ xs: 12, lg: 6 }}>
          <Section
            title="Feeds"
            lead="Bars that live versions read."
            actions={<RouterLink to="/operator/feeds">All of each feed</RouterLink>}
            flush
          >
            <FeedsTable feeds={health.feeds} isShort />
          </Section>
        </Grid>
      </Grid>
      <Section title="Sandboxes" lead="Runs at the slots of 24 hours, by engine and path." flush>
        <SandboxesTable sandboxes={health.sandboxes} />
      </Section>
      <Section title="Ticks" lead="One row an hour, newest first." flush>
        <TicksTable ticks={health.recent_ticks} />
      </Section>
    </>
  );
}

function Counts({ health }: { health: Health }) {
  const now = useNow();
  const newest = health.recent_ticks[0];
  const nothing = "No slot was recorded in 24 hours.";
  return (
    <Stack direction="row" useFlexGap spacing={3} sx={{ flexWrap: "wrap", mb: 2 }}>
      <Figure
        label="Live versions"
        value={count(health.live_versions)}
        note="owe a forecast each hour"
      />
      <Figure label="Live" value={count(sum(health.recent_ticks, "live"))} note="slots in time" />
      <Figure label="Late" value={count(sum(health.recent_ticks, "late"))} note="slots" />
      <Figure label="Missed" value={count(sum(health.recent_ticks, "missed"))} note="slots" />
      <Figure
        label="Newest tick"
        value={newest === undefined ? null : duration(newest.seconds)}
        reason={nothing}
        note={
          newest === undefined ? undefined : (
            <>
              from <Instant at={newest.as_of} /> to its last record
            </>
          )
        }
      />
      <Figure
        label="As of"
        value={`${duration((now - Date.parse(health.at)) / 1000)} ago`}
        note={<Instant at={health.at} precise />}
      />
    </Stack>
  );
}

function sum(ticks: Tick[], outcome: "live" | "late" | "missed"): number {
  return ticks.reduce((total, tick) => total + tick[outcome], 0);
}

function OverviewSkeleton() {
  return (
    <>
      <Grid container spacing={2} sx={{ mb: 3 }}>
        {["log", "ticks", "letters"].map((room) => (
          <Grid key={room} size={{ xs: 12, md: 4 }}>
            <Skeleton variant="rounded" height={92} />
          </Grid>
        ))}
      </Grid>
      {[330, 300, 180, 240].map((height) => (
        <Box key={height} sx={{ mb: 3 }}>
          <Skeleton variant="rounded" height={height} />
        </Box>
      ))}
    </>
  );
}
