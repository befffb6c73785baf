import Paper from "@mui/material/Paper";
import { useQuery } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";

import { Awaited, Lines } from "../elements/Awaited";
import { EmptyState } from "../elements/EmptyState";
import { PageHead } from "../elements/PageHead";
import { RouterLink } from "../elements/RouterLink";
import { Section } from "../elements/Section";
import { Correlations } from "./Correlations";
import { Margins } from "./Margins";
import { comparisonQuery } from "./queries";
import { SideBySide } from "./SideBySide";

const route = getRouteApi("/compare");

export function ComparePage() {
  const { signals } = route.useSearch();
  const enough = signals?.includes(",") === true;
  return (
    <>
      <PageHead
        title="Compare signals"
        lead="Live records alone, in the same units, of the same trading rule."
      />
      {enough ? (
        <Compared signals={signals} />
      ) : (
        <Paper>
          <EmptyState
            title="Choose two to five signals"
            action={
              <RouterLink to="/" search={signals === undefined ? {} : { pick: [signals] }}>
                To the signals
              </RouterLink>
            }
          >
            Tick their boxes in the list; they are compared here.
          </EmptyState>
        </Paper>
      )}
    </>
  );
}

function Compared({ signals }: { signals: string }) {
  const compared = useQuery(comparisonQuery(signals));
  return (
    <>
      <Section title="Side by side" flush>
        <Awaited query={compared} skeleton={<Lines count={12} height={36} />}>
          {(data) => <SideBySide signals={data.signals} />}
        </Awaited>
      </Section>
      <Section
        title="Do they go together?"
        lead="Correlation of the hourly returns that each signal's trading rule earned live, after costs, over the hours both have. Near 0: they differ. Near 1: one is much like the other."
      >
        <Awaited query={compared} skeleton={<Lines count={3} />}>
          {(data) => (
            <Correlations pairs={data.correlations} hoursAtLeast={data.common_hours_at_least} />
          )}
        </Awaited>
      </Section>
      <Margins signals={signals.split(",")} />
    </>
  );
}
