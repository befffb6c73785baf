import Button from "@mui/material/Button";
import Skeleton from "@mui/material/Skeleton";
import Stack from "@mui/material/Stack";
import { useQuery } from "@tanstack/react-query";
import { useNavigate, useSearch } from "@tanstack/react-router";

import { answer, api, type Schemas } from "../api/client";
import { Awaited } from "../elements/Awaited";
import { EmptyState } from "../elements/EmptyState";
import { PageHead } from "../elements/PageHead";
import { Section } from "../elements/Section";
import { Instant } from "../format/Instant";
import { BusinessFigures } from "./BusinessFigures";
import { figuresAddress } from "./dagster";
import { DagsterLink } from "./DagsterLink";
import { FilterField } from "./FilterField";
import { FlagsTable } from "./FlagsTable";
import { Payouts } from "./Payouts";
import { Refunds } from "./Refunds";
import { RevenueTable } from "./RevenueTable";
import { otherDay } from "./search";

type Business = Schemas["Business"];

/** The figures of a day, what should be looked at, and what operators do with money. */
export function BusinessPage() {
  const { day } = useSearch({ from: "/operator/business" });
  const business = useBusiness(day);
  return (
    <>
      <PageHead
        title="Business"
        lead="Figures of the end of a day, UTC; computed when the day is over."
        actions={<DayPicker asked={day} shown={business.data?.day ?? undefined} />}
      />
      <Awaited query={business} skeleton={<FiguresSkeleton />}>
        {(found) => <Figures business={found} asked={day} />}
      </Awaited>
      <Payouts />
      <Refunds />
    </>
  );
}

function Figures({ business, asked }: { business: Business; asked?: string }) {
  const { day, computed_at, figures } = business;
  const overall = figures.filter((figure) => figure.metric !== "revenue");
  const revenue = figures.filter((figure) => figure.metric === "revenue");
  return (
    <>
      <Section
        title={day === null ? "Figures" : `Figures of ${day}`}
        lead={
          computed_at !== null && (
            <>
              computed <Instant at={computed_at} />
            </>
          )
        }
      >
        {figures.length === 0 ? <NoFigures day={asked} /> : <BusinessFigures figures={overall} />}
      </Section>
      {figures.length > 0 && (
        <Section title="Revenue per signal" flush>
          <RevenueTable figures={revenue} day={day} />
        </Section>
      )}
      <Section
        title="To look at"
        lead="Providers that owe, and invoices that provider and subscriber paid by one card."
        flush
      >
        <FlagsTable flags={business.flagged} />
      </Section>
    </>
  );
}

function FiguresSkeleton() {
  return [190, 190].map((height, at) => (
    <Skeleton key={at} variant="rounded" height={height} sx={{ mb: 3 }} />
  ));
}

function NoFigures({ day }: { day?: string }) {
  return (
    <EmptyState
      title={day === undefined ? "No figures yet" : `No figures of ${day}`}
      action={<DagsterLink to={(dagster) => figuresAddress(dagster, day)} />}
    >
      They are computed each night for the day that is over. For another day that is over,
      materialize <code>usage/business</code> at it in Dagster.
    </EmptyState>
  );
}

function DayPicker({ asked, shown }: { asked?: string; shown?: string }) {
  const navigate = useNavigate({ from: "/operator/business" });
  const day = asked ?? shown;
  const go = (to: string | undefined) => void navigate({ search: { day: to } });
  return (
    <Stack direction="row" spacing={1} useFlexGap sx={{ alignItems: "center", flexWrap: "wrap" }}>
      <Button
        size="small"
        disabled={day === undefined}
        onClick={() => day && go(otherDay(day, -1))}
      >
        Day before
      </Button>
      <FilterField label="Day (UTC)" type="date" value={day} onChange={go} width={160} />
      <Button size="small" disabled={day === undefined} onClick={() => day && go(otherDay(day, 1))}>
        Day after
      </Button>
      <Button size="small" disabled={asked === undefined} onClick={() => go(undefined)}>
        Newest
      </Button>
    </Stack>
  );
}

function useBusiness(day: string | undefined) {
  return useQuery({
    queryKey: ["operator", "business", day],
    queryFn: () => answer(api.GET("/v1/admin/business", { params: { query: { day } } })),
  });
}
