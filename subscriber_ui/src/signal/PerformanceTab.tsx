import Box from "@mui/material/Box";
import Skeleton from "@mui/material/Skeleton";
import TextField from "@mui/material/TextField";
import ToggleButton from "@mui/material/ToggleButton";
import ToggleButtonGroup from "@mui/material/ToggleButtonGroup";
import Typography from "@mui/material/Typography";
import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";

import type { Schemas } from "../api/client";
import { Awaited } from "../elements/Awaited";
import { EmptyState } from "../elements/EmptyState";
import { Section } from "../elements/Section";
import { Instant } from "../format/Instant";
import { count } from "../format/numbers";
import { CourseSection } from "./course/CourseSection";
import { AllMeasures } from "./measures/AllMeasures";
import { ByDelay } from "./measures/ByDelay";
import { ByHorizon } from "./measures/ByHorizon";
import { Coverage } from "./measures/Coverage";
import { LiveAgainstReplayed } from "./measures/LiveAgainstReplayed";
import { performanceQuery, recordQuery, type Window, WINDOWS } from "./queries";

const route = getRouteApi("/signals/$provider/$name/performance");
const USUAL: Window = "all";
const SHOWN: Record<Window, string> = { "30d": "30 days", "90d": "90 days", all: "all time" };

export function PerformanceTab() {
  const path = route.useParams();
  const { window = USUAL, version } = route.useSearch();
  const performance = useQuery({
    ...performanceQuery(path, window, version),
    placeholderData: keepPreviousData,
  });
  return (
    <>
      <Choices window={window} version={version} />
      <Awaited query={performance} skeleton={<Skeleton variant="rounded" height={900} />}>
        {(data) => (
          <Box sx={{ opacity: performance.isPlaceholderData ? 0.6 : 1 }}>
            <Measured performance={data} />
          </Box>
        )}
      </Awaited>
    </>
  );
}

function Choices({ window, version }: { window: Window; version: string | undefined }) {
  const path = route.useParams();
  const navigate = route.useNavigate();
  const record = useQuery(recordQuery(path));
  const published = (record.data?.versions ?? []).filter((each) => each.published_at !== null);
  const change = (part: { window?: Window; version?: string }) =>
    void navigate({
      search: (known) => ({ ...known, ...part }),
      replace: true,
      resetScroll: false,
    });
  return (
    <Box sx={{ display: "flex", flexWrap: "wrap", gap: 2, mb: 2, alignItems: "center" }}>
      <ToggleButtonGroup
        exclusive
        size="small"
        value={window}
        aria-label="Window"
        onChange={(_, chosen: Window | null) => {
          if (chosen !== null) change({ window: chosen === USUAL ? undefined : chosen });
        }}
      >
        {WINDOWS.map((each) => (
          <ToggleButton key={each} value={each} sx={{ px: 2, textTransform: "none" }}>
            {SHOWN[each]}
          </ToggleButton>
        ))}
      </ToggleButtonGroup>
      <TextField
        select
        label="Version"
        value={version ?? ""}
        onChange={(event) => change({ version: event.target.value || undefined })}
        slotProps={{ select: { native: true }, inputLabel: { shrink: true } }}
        sx={{ maxWidth: 260 }}
      >
        <option value="">As subscribers received it</option>
        {published.map((each) => (
          <option key={each.version} value={each.version}>
            {each.version} alone ({each.state})
          </option>
        ))}
        {version !== undefined && !published.some((each) => each.version === version) && (
          <option value={version}>{version} alone</option>
        )}
      </TextField>
    </Box>
  );
}

function Measured({ performance }: { performance: Schemas["Performance"] }) {
  const { measures } = performance;
  if (measures === null) {
    return <EmptyState title="Not measured yet">{performance.measures_reason}</EmptyState>;
  }
  return (
    <>
      <Typography variant="body2" color="textSecondary" sx={{ mb: 2, maxWidth: 860 }}>
        {performance.as_of !== null && (
          <>
            Of slots before <Instant at={performance.as_of} />, computed once an hour:{" "}
          </>
        )}
        {slotsTold(measures.slots)}.{" "}
        {measures.record.reason ?? "The record is long enough for a rank"}.
      </Typography>
      <CourseSection signal={performance.signal} curves={measures.curve} />
      <AllMeasures signal={performance.signal} live={measures.live} />
      <LiveAgainstReplayed measures={measures} target={performance.target} />
      <ByHorizon byHorizon={measures.by_horizon} />
      <ByDelay byDelay={measures.by_delay} />
      <Coverage live={measures.live} />
      <Rules measures={measures} />
    </>
  );
}

function slotsTold(slots: Schemas["MeasuredSlots"]): string {
  const { live, late, missed, unopened, offline } = slots;
  return (
    `${count(live)} live, ${count(late)} late, ${count(missed)} missed, ${count(unopened)} unopened,` +
    ` ${count(offline)} offline hours`
  );
}

function Rules({ measures }: { measures: Schemas["Measured"] }) {
  const { rule, intervals, hours_per_year } = measures;
  return (
    <Section title="How it is computed">
      <Typography variant="body2" component="div" sx={{ maxWidth: 860 }}>
        <p style={{ marginTop: 0 }}>
          One trading rule for all signals, declared beforehand: at each slot proven live, the sign
          of the forecast of the shortest horizon, equal weights, taken at the next open after the
          forecast was there, held to the next slot. Without a live forecast within{" "}
          {rule.deadline_minutes} minutes it is flat. A change costs {rule.cost_bps} basis points of
          what changes hands. Funding, dividends and taxes are not charged.
        </p>
        <p>
          Intervals: {intervals.method}; the middle {Math.round(intervals.level * 100)} % of{" "}
          {count(intervals.replicates)} resamples in blocks of {intervals.block}. With fewer than{" "}
          {intervals.blocks_at_least} blocks there is none. Annual figures are by{" "}
          {hours_per_year.value == null ? "the market's" : count(hours_per_year.value)} hours a
          year.
        </p>
        <p style={{ marginBottom: 0 }}>
          Returns of a rule that nobody traded are hypothetical, live slots included. They promise
          nothing.
        </p>
      </Typography>
    </Section>
  );
}
