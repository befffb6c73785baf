import Box from "@mui/material/Box";
import Chip from "@mui/material/Chip";
import Skeleton from "@mui/material/Skeleton";
import Stack from "@mui/material/Stack";
import { useQuery } from "@tanstack/react-query";
import { Outlet } from "@tanstack/react-router";

import { Awaited } from "../elements/Awaited";
import { PageHead } from "../elements/PageHead";
import { RouterButton } from "../elements/RouterLink";
import { StateBadge } from "../elements/StateBadge";
import { useHandle } from "./handle";
import { ownSignal, type Signal } from "./queries";
import { ownSignalRoute } from "./routes";

const TABS = [
  { to: "/provider/signals/$name", label: "Versions" },
  { to: "/provider/signals/$name/runs", label: "Runs" },
  { to: "/provider/signals/$name/leaks", label: "Leak report" },
  { to: "/provider/signals/$name/offer", label: "Offer" },
  { to: "/provider/signals/$name/listing", label: "Listing" },
] as const;

/** One signal of mine: its head and tabs. */
export function OwnSignalFrame() {
  const { name } = ownSignalRoute.useParams();
  const provider = useHandle();
  const signal = useQuery(ownSignal({ provider, name }));
  return (
    <Awaited query={signal} skeleton={<Skeleton variant="rounded" height={104} />}>
      {(found) => (
        <>
          <Head signal={found} />
          <Tabs name={name} />
          <Outlet />
        </>
      )}
    </Awaited>
  );
}

function Head({ signal }: { signal: Signal }) {
  return (
    <PageHead
      title={signal.title}
      lead={
        <Stack
          direction="row"
          spacing={1}
          useFlexGap
          sx={{ alignItems: "center", flexWrap: "wrap" }}
        >
          <span>{signal.signal}</span>
          <Chip size="small" label={signal.visibility} variant="outlined" sx={{ height: 22 }} />
          {signal.state == null ? <span>nothing published yet</span> : null}
          {signal.version != null && <span>{signal.version}</span>}
          {signal.state != null && <StateBadge state={signal.state} />}
        </Stack>
      }
      actions={
        <RouterButton
          to="/signals/$provider/$name"
          params={{ provider: signal.provider, name: signal.name }}
          variant="outlined"
        >
          See it as others do
        </RouterButton>
      }
    />
  );
}

function Tabs({ name }: { name: string }) {
  return (
    <Box
      component="nav"
      aria-label="Signal"
      sx={{ display: "flex", borderBottom: 1, borderColor: "divider", mb: 3, overflowX: "auto" }}
    >
      {TABS.map(({ to, label }) => (
        <RouterButton
          key={to}
          to={to}
          params={{ name }}
          color="inherit"
          activeOptions={{ exact: true, includeSearch: false }}
          activeProps={{ "aria-current": "page" }}
          sx={{
            borderRadius: 0,
            flexShrink: 0,
            color: "text.secondary",
            borderBottom: 2,
            borderColor: "transparent",
            "&[aria-current=page]": { color: "text.primary", borderColor: "primary.main" },
          }}
        >
          {label}
        </RouterButton>
      ))}
    </Box>
  );
}
