import Box from "@mui/material/Box";
import Button from "@mui/material/Button";
import Paper from "@mui/material/Paper";
import Skeleton from "@mui/material/Skeleton";
import Stack from "@mui/material/Stack";
import ToggleButton from "@mui/material/ToggleButton";
import { keepPreviousData, useInfiniteQuery, useQueries } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";

import type { Schemas } from "../api/client";
import { signalQuery } from "../api/signals";
import { Awaited } from "../elements/Awaited";
import { EmptyState } from "../elements/EmptyState";
import { ErrorState } from "../elements/ErrorState";
import { PageHead } from "../elements/PageHead";
import { RouterLink } from "../elements/RouterLink";
import { ComparisonTray } from "./ComparisonTray";
import { FilterBar } from "./FilterBar";
import { listQuery } from "./queries";
import { type CatalogueSearch, COMPARED_AT_MOST, toggled } from "./search";
import { SignalRow } from "./SignalRow";
import { useWatched } from "./watch";

const route = getRouteApi("/");

export function CataloguePage() {
  const search = route.useSearch();
  const navigate = route.useNavigate();
  const watched = useWatched();
  const change = (part: Partial<CatalogueSearch>) =>
    void navigate({
      search: (known) => ({ ...known, ...part }),
      replace: true,
      resetScroll: false,
    });
  return (
    <>
      <PageHead
        title="Signals"
        lead={
          <>
            Hourly forecasts by models that their providers cannot change, back-date or hide.
            Numbers are of slots proven live, misses charged.{" "}
            <RouterLink to="/definitions">How each is computed</RouterLink>.
          </>
        }
        actions={
          <ToggleButton
            value="watched"
            size="small"
            selected={search.watched === true}
            onChange={() => change({ watched: search.watched === true ? undefined : true })}
            sx={{ textTransform: "none" }}
          >
            Watched ({watched.length})
          </ToggleButton>
        }
      />
      {search.watched === true ? (
        <WatchedSignals watched={watched} search={search} onChange={change} />
      ) : (
        <>
          <FilterBar search={search} onChange={change} />
          <FoundSignals search={search} onChange={change} />
        </>
      )}
      <ComparisonTray picked={search.pick ?? []} onChange={(pick) => change({ pick })} />
    </>
  );
}

interface ListProps {
  search: CatalogueSearch;
  onChange: (part: Partial<CatalogueSearch>) => void;
}

function FoundSignals({ search, onChange }: ListProps) {
  const found = useInfiniteQuery({ ...listQuery(search), placeholderData: keepPreviousData });
  return (
    <Awaited query={found} skeleton={<RowSkeletons />}>
      {(data) => {
        const signals = data.pages.flatMap((page) => page.items);
        return signals.length === 0 ? (
          <Paper>
            <EmptyState
              title="No signal has all that"
              action={
                <RouterLink to="/" search={{}}>
                  Show all signals
                </RouterLink>
              }
            >
              A signal that lacks a number never passes a filter on it. Ask for less, or for other
              words.
            </EmptyState>
          </Paper>
        ) : (
          <Box
            sx={{ opacity: found.isPlaceholderData ? 0.6 : 1 }}
            aria-busy={found.isPlaceholderData}
          >
            <Rows signals={signals} search={search} onChange={onChange} />
            {found.isFetchNextPageError && (
              <ErrorState error={found.error} retry={() => void found.fetchNextPage()} />
            )}
            {found.hasNextPage && !found.isFetchNextPageError && (
              <Stack sx={{ alignItems: "center", mt: 2 }}>
                <Button
                  variant="outlined"
                  loading={found.isFetchingNextPage}
                  onClick={() => void found.fetchNextPage()}
                >
                  Show more signals
                </Button>
              </Stack>
            )}
          </Box>
        );
      }}
    </Awaited>
  );
}

function WatchedSignals({ watched, search, onChange }: ListProps & { watched: string[] }) {
  const found = useQueries({ queries: watched.map((each) => signalQuery(each)) });
  if (watched.length === 0) {
    return (
      <Paper>
        <EmptyState
          title="You watch no signal"
          action={
            <Button onClick={() => onChange({ watched: undefined })}>Show all signals</Button>
          }
        >
          Mark one with its star. The list is kept in this browser, and nobody is told.
        </EmptyState>
      </Paper>
    );
  }
  const gone = watched.filter((_, at) => found[at]?.isError === true);
  return (
    <>
      {found.some((each) => each.isPending) && <RowSkeletons count={watched.length} />}
      <Rows
        signals={found.flatMap((each) => (each.data === undefined ? [] : [each.data]))}
        search={search}
        onChange={onChange}
      />
      {gone.length > 0 && (
        <EmptyState title={`Not found: ${gone.join(", ")}`}>
          They are private now, or were never public.
        </EmptyState>
      )}
    </>
  );
}

function Rows({ signals, search, onChange }: ListProps & { signals: Schemas["Signal"][] }) {
  const watched = useWatched();
  const picked = search.pick ?? [];
  if (signals.length === 0) return null;
  return (
    <Paper
      component="ul"
      aria-label="Signals"
      sx={{
        p: 0,
        m: 0,
        listStyle: "none",
        overflow: "hidden",
        "& > li:first-of-type > *": { borderTop: 0 },
      }}
    >
      {signals.map((signal) => (
        <li key={signal.signal}>
          <SignalRow
            signal={signal}
            isWatched={watched.includes(signal.signal)}
            isPicked={picked.includes(signal.signal)}
            isFull={picked.length >= COMPARED_AT_MOST}
            onPick={() => {
              const pick = toggled(picked, signal.signal);
              onChange({ pick: pick.length > 0 ? pick : undefined });
            }}
          />
        </li>
      ))}
    </Paper>
  );
}

function RowSkeletons({ count = 6 }: { count?: number }) {
  return (
    <Paper>
      {Array.from({ length: count }, (_, at) => (
        <Box key={at} sx={{ p: 2, height: { xs: 330, sm: 220, md: 138 } }}>
          <Skeleton width="40%" height={28} />
          <Skeleton width="80%" />
          <Skeleton width="60%" />
        </Box>
      ))}
    </Paper>
  );
}
