import ToggleButton from "@mui/material/ToggleButton";
import ToggleButtonGroup from "@mui/material/ToggleButtonGroup";
import { useQueries } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";

import type { Schemas } from "../api/client";
import { type Column, DataTable } from "../elements/DataTable";
import { Lines } from "../elements/Awaited";
import { ErrorState } from "../elements/ErrorState";
import { Absent } from "../elements/Figure";
import { RouterLink } from "../elements/RouterLink";
import { Section } from "../elements/Section";
import { count, fixed } from "../format/numbers";
import { useSession } from "../session/session";
import { marginalQuery } from "./queries";

type Marginal = Schemas["Marginal"];

const route = getRouteApi("/compare");

/** What each signal would add: to the others here, or to what the reader holds. */
export function Margins({ signals }: { signals: string[] }) {
  const { against } = route.useSearch();
  const navigate = route.useNavigate();
  const signedIn = useSession().state === "in";
  const mine = against === "mine" && signedIn;
  const found = useQueries({
    queries: signals.map((signal) =>
      marginalQuery(signal, mine ? undefined : signals.filter((each) => each !== signal).join(",")),
    ),
  });
  const failed = found.find((each) => each.error !== null);
  const margins = found.flatMap((each) => (each.data === undefined ? [] : [each.data]));
  return (
    <Section
      title="What would each add?"
      lead="The Sharpe ratio of a portfolio that holds signals in equal parts, without and with the signal, over the hours all of them have. It tells how past returns went together, and forecasts nothing."
      actions={
        signedIn ? (
          <ToggleButtonGroup
            exclusive
            size="small"
            value={mine ? "mine" : "others"}
            aria-label="Added to"
            onChange={(_, chosen: "mine" | "others" | null) => {
              if (chosen === null) return;
              void navigate({
                search: (known) => ({ ...known, against: chosen === "mine" ? chosen : undefined }),
                replace: true,
                resetScroll: false,
              });
            }}
          >
            <ToggleButton value="others">the others here</ToggleButton>
            <ToggleButton value="mine">what I hold</ToggleButton>
          </ToggleButtonGroup>
        ) : (
          <RouterLink to="/login" variant="body2">
            Log in to compare with what you hold
          </RouterLink>
        )
      }
      flush
    >
      {failed !== undefined ? (
        <ErrorState error={failed.error} retry={() => void failed.refetch()} />
      ) : margins.length < signals.length ? (
        <Lines count={signals.length} />
      ) : (
        <DataTable
          caption="What each would add"
          columns={COLUMNS}
          rows={margins}
          rowKey={(row) => row.signal}
        />
      )}
    </Section>
  );
}

const COLUMNS: Column<Marginal>[] = [
  { id: "signal", header: "Adding", value: (row) => row.signal },
  {
    id: "held",
    header: "To",
    value: (row) => row.held.join(", "),
    cell: (row) => (row.held.length === 0 ? <Absent reason={row.reason} /> : row.held.join(", ")),
    from: "md",
  },
  {
    id: "hours",
    header: "Hours",
    value: (row) => row.hours,
    cell: (row) => count(row.hours),
    numeric: true,
  },
  ...(
    [
      ["correlation", "Correlation"],
      ["sharpe_held", "Sharpe without"],
      ["sharpe_with", "Sharpe with"],
      ["sharpe_change", "Change"],
    ] as const
  ).map(([id, header]): Column<Marginal> => ({
    id,
    header,
    value: (row) => row[id],
    cell: (row) => {
      const value = row[id];
      if (value === null) return <Absent reason={row.reason} />;
      return id === "sharpe_change" && value > 0 ? `+${fixed(value, 2)}` : fixed(value, 2);
    },
    numeric: true,
  })),
];
