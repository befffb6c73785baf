import Box from "@mui/material/Box";
import Chip from "@mui/material/Chip";
import Skeleton from "@mui/material/Skeleton";
import Tab, { type TabProps } from "@mui/material/Tab";
import Tabs from "@mui/material/Tabs";
import { useQuery } from "@tanstack/react-query";
import { createLink, Outlet, useLocation } from "@tanstack/react-router";

import { ProblemError } from "../api/problem";
import type { Schemas } from "../api/client";
import { signalQuery } from "../api/signals";
import { EmptyState } from "../elements/EmptyState";
import { ErrorState } from "../elements/ErrorState";
import { PageHead } from "../elements/PageHead";
import { RouterLink } from "../elements/RouterLink";
import { SampleBadge } from "../elements/SampleBadge";
import { StateBadge } from "../elements/StateBadge";
import { signalRoute } from "./frame";
import { OfferAction } from "./OfferAction";

const RouterTab = createLink((props: TabProps<"a">) => <Tab component="a" {...props} />);

const TABS = [
  ["", "Overview"],
  ["playback", "Playback"],
  ["performance", "Performance"],
  ["record", "Track record"],
  ["versions", "Versions"],
  ["proof", "Proof"],
] as const;

/** A signal's head and tabs; what a tab shows comes below. */
export function SignalFrame() {
  const { provider, name } = signalRoute.useParams();
  const signal = useQuery(signalQuery(`${provider}/${name}`));
  if (signal.error instanceof ProblemError && signal.error.status === 404) {
    return (
      <>
        <PageHead title="No such signal" />
        <EmptyState
          title={`There is no signal ${provider}/${name}`}
          action={<RouterLink to="/">To the signals</RouterLink>}
        >
          It has another name, was never public, or is private to its provider.
        </EmptyState>
      </>
    );
  }
  if (signal.error !== null && signal.data === undefined) {
    return <ErrorState error={signal.error} retry={() => void signal.refetch()} />;
  }
  return (
    <>
      {signal.data === undefined ? (
        <Box sx={{ mb: 3, minHeight: 92 }} aria-busy>
          <Skeleton width={320} height={36} />
          <Skeleton width="60%" />
          <Skeleton width="40%" />
        </Box>
      ) : (
        <Head signal={signal.data} />
      )}
      <TabBar provider={provider} name={name} />
      <Outlet />
    </>
  );
}

function Head({ signal }: { signal: Schemas["Signal"] }) {
  return (
    <PageHead
      title={signal.title}
      lead={
        <>
          <Box sx={{ overflowWrap: "anywhere" }}>
            {signal.signal} · {signal.symbols.join(", ")} ·{" "}
            {signal.target === "price" ? "prices" : "returns"} {signal.horizons_hours.join(", ")} h
            ahead, each hour
          </Box>
          {signal.description !== "" && <Box>{signal.description}</Box>}
          <Box sx={{ display: "flex", flexWrap: "wrap", gap: 0.75, mt: 1 }}>
            {signal.state != null && <StateBadge state={signal.state} />}
            {signal.version != null && (
              <Chip label={signal.version} size="small" variant="outlined" sx={{ height: 22 }} />
            )}
            {signal.visibility === "private" && (
              <Chip label="private" size="small" sx={{ height: 22 }} />
            )}
            {signal.is_sample_data && <SampleBadge />}
          </Box>
        </>
      }
      actions={<OfferAction signal={signal} />}
    />
  );
}

function TabBar({ provider, name }: { provider: string; name: string }) {
  const path = useLocation({ select: (location) => location.pathname });
  const last = path.replace(/\/$/, "").split("/")[4] ?? "";
  return (
    <Tabs
      value={TABS.some(([tab]) => tab === last) ? last : ""}
      variant="scrollable"
      scrollButtons="auto"
      allowScrollButtonsMobile
      aria-label="About this signal"
      sx={{ mb: 3, borderBottom: 1, borderColor: "divider", minHeight: 40 }}
    >
      {TABS.map(([tab, label]) => (
        <RouterTab
          key={tab}
          value={tab}
          label={label}
          to={tab === "" ? "/signals/$provider/$name" : `/signals/$provider/$name/${tab}`}
          params={{ provider, name }}
          sx={{ minHeight: 40, py: 0 }}
        />
      ))}
    </Tabs>
  );
}
