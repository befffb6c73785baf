import Box from "@mui/material/Box";
import Skeleton from "@mui/material/Skeleton";
import Typography from "@mui/material/Typography";
import { useQuery } from "@tanstack/react-query";

import type { Schemas } from "../api/client";
import { signalQuery } from "../api/signals";
import { Awaited, Lines } from "../elements/Awaited";
import { CodeTabs } from "../elements/CodeTabs";
import { EmptyState } from "../elements/EmptyState";
import { MeasureFigure } from "../elements/MeasureFigure";
import { RouterLink } from "../elements/RouterLink";
import { Section } from "../elements/Section";
import { Instant } from "../format/Instant";
import { CourseSection } from "./course/CourseSection";
import { Findings } from "./Findings";
import { signalRoute } from "./frame";
import { LiveRecordBar } from "./LiveRecordBar";
import { OfferPanel } from "./OfferPanel";
import { type Name, performanceQuery, recordQuery, versionsQuery } from "./queries";
import { RevealedForecasts } from "./RevealedForecasts";
import { isItGood, isItHonest } from "./verdict";

export function OverviewTab() {
  const path = signalRoute.useParams();
  const signal = useQuery(signalQuery(`${path.provider}/${path.name}`));
  const performance = useQuery(performanceQuery(path, "all"));
  const record = useQuery(recordQuery(path));
  return (
    <Box
      sx={{
        display: "grid",
        columnGap: 3,
        gridTemplateColumns: { xs: "minmax(0, 1fr)", lg: "minmax(0, 1fr) 320px" },
      }}
    >
      <Box sx={{ minWidth: 0 }}>
        <Verdict path={path} />
        <Section title="Live record" lead={<RecordLead record={record.data} path={path} />}>
          <Awaited query={record} skeleton={<Skeleton variant="rounded" height={44} />}>
            {(data) => <LiveRecordBar counts={data} />}
          </Awaited>
        </Section>
        <Awaited
          query={performance}
          skeleton={<Skeleton variant="rounded" height={470} sx={{ mb: 3 }} />}
        >
          {(data) => <CourseSection signal={data.signal} curves={data.measures?.curve} />}
        </Awaited>
        <RevealedForecasts path={path} until={record.data?.revealed_until} />
      </Box>
      <Box sx={{ minWidth: 0 }}>
        <Section title="Offer">
          <Awaited query={signal} skeleton={<Lines count={4} />}>
            {(data) => <OfferPanel signal={data} />}
          </Awaited>
        </Section>
        <Section title="Read it by program">
          <CodeTabs
            name="Newest forecasts"
            path={`/v1/signals/${path.provider}/${path.name}/forecasts/latest`}
            python={pythonFor(`${path.provider}/${path.name}`)}
          />
          <Typography variant="body2" color="textSecondary" sx={{ mt: 1 }}>
            With an <RouterLink to="/settings/api-keys">API key</RouterLink> of yours; a
            subscription opens the newest hours.
          </Typography>
        </Section>
      </Box>
    </Box>
  );
}

/** Is it any good, is it honest: to be read in ten seconds. */
function Verdict({ path }: { path: Name }) {
  const performance = useQuery(performanceQuery(path, "all"));
  const record = useQuery(recordQuery(path));
  const versions = useQuery(versionsQuery(path));
  const newest = versions.data?.items.find((each) => each.published_at !== null);
  return (
    <Box
      sx={{
        display: "grid",
        columnGap: 3,
        gridTemplateColumns: { xs: "minmax(0, 1fr)", md: "repeat(2, minmax(0, 1fr))" },
        "& > section": { minHeight: 268 },
      }}
    >
      <Section title="Is it any good?" lead="Of slots proven live, misses charged.">
        <Awaited query={performance} skeleton={<Lines count={5} />}>
          {({ measures, measures_reason }) =>
            measures === null ? (
              <EmptyState title="Not measured yet">{measures_reason}</EmptyState>
            ) : (
              <>
                <Headline measures={measures} />
                <Findings findings={isItGood(measures)} />
              </>
            )
          }
        </Awaited>
      </Section>
      <Section title="Is it honest?" lead={<ProofLink path={path} />}>
        <Awaited query={record} skeleton={<Lines count={5} />}>
          {(data) => (
            <Findings
              findings={isItHonest(
                data,
                newest?.leak_report ?? null,
                performance.data?.measures ?? null,
              )}
            />
          )}
        </Awaited>
      </Section>
    </Box>
  );
}

function Headline({ measures }: { measures: Schemas["Measured"] }) {
  const { live } = measures;
  // Where all of it is missing, the findings say why once.
  if (live["total_return"]?.value == null && live["skill_with_misses"]?.value == null) return null;
  return (
    <Box
      sx={{
        display: "grid",
        gap: 2,
        mb: 2,
        gridTemplateColumns: "repeat(auto-fill, minmax(130px, 1fr))",
      }}
    >
      <MeasureFigure metric="skill_with_misses" label="Skill" measure={live["skill_with_misses"]} />
      <MeasureFigure
        metric="hit_rate_with_misses"
        label="Hit rate"
        measure={live["hit_rate_with_misses"]}
      />
      <MeasureFigure metric="total_return" label="Return" measure={live["total_return"]} />
      <MeasureFigure metric="max_drawdown" label="Max drawdown" measure={live["max_drawdown"]} />
      <MeasureFigure metric="sharpe" label="Sharpe ratio" measure={live["sharpe"]} />
      <MeasureFigure
        metric="deflated_sharpe"
        label="Deflated Sharpe"
        measure={live["deflated_sharpe"]}
      />
    </Box>
  );
}

function RecordLead({ record, path }: { record: Schemas["TrackRecord"] | undefined; path: Name }) {
  return (
    <>
      Every slot it ever owed
      {record?.since != null && (
        <>
          , since <Instant at={record.since} />
        </>
      )}
      .{" "}
      <RouterLink to="/signals/$provider/$name/record" params={path}>
        By version
      </RouterLink>
    </>
  );
}

function ProofLink({ path }: { path: Name }) {
  return (
    <>
      Do not take our word:{" "}
      <RouterLink to="/signals/$provider/$name/proof" params={path}>
        check it yourself
      </RouterLink>
      .
    </>
  );
}

function pythonFor(signal: string): string {
  return `from signalbox import Client

with Client("${location.origin}") as client:
    print(client.latest("${signal}"))`;
}
