import Alert from "@mui/material/Alert";
import Box from "@mui/material/Box";
import Paper from "@mui/material/Paper";
import Stack from "@mui/material/Stack";
import Typography from "@mui/material/Typography";
import type { ReactNode } from "react";

import { Absent } from "../elements/Figure";
import { RouterLink } from "../elements/RouterLink";
import { StateBadge } from "../elements/StateBadge";
import { isRunning, type Subscription } from "../elements/subscribe/subscriptions";
import { Instant } from "../format/Instant";
import { useZone } from "../format/instants";
import { money } from "../format/numbers";
import { useNow } from "../format/useNow";
import { Acts } from "./Acts";
import { ProposedPrice } from "./ProposedPrice";
import { accessUntil, standingOf } from "./standing";

const MINUTE_MS = 60_000;

export function SubscriptionCard({ subscription }: { subscription: Subscription }) {
  const zone = useZone();
  const now = useNow(MINUTE_MS);
  const [provider = "", name = ""] = subscription.signal.split("/");
  const standing = standingOf(subscription, now, zone);
  const until = accessUntil(subscription);
  return (
    <Paper component="article" aria-label={subscription.signal} sx={{ p: 2 }}>
      <Stack
        direction={{ xs: "column", sm: "row" }}
        spacing={1.5}
        sx={{ justifyContent: "space-between", alignItems: { sm: "center" } }}
      >
        <Stack direction="row" spacing={1.25} sx={{ alignItems: "center", minWidth: 0 }}>
          <Typography variant="h2" sx={{ overflowWrap: "anywhere" }}>
            <RouterLink to="/signals/$provider/$name" params={{ provider, name }} color="inherit">
              {subscription.signal}
            </RouterLink>
          </Typography>
          <StateBadge state={subscription.state} />
        </Stack>
        <Acts subscription={subscription} />
      </Stack>
      <Box
        component="dl"
        sx={{
          display: "grid",
          gridTemplateColumns: { xs: "1fr", sm: "repeat(auto-fit, minmax(210px, 1fr))" },
          gap: 1.5,
          my: 1.5,
        }}
      >
        <Fact label="Price">{money(subscription.amount_minor, subscription.currency)} a month</Fact>
        <Fact label="You read until">
          {until === null ? (
            <Absent reason={`Nothing can be read while it is ${subscription.state}.`} />
          ) : (
            <Instant at={until} />
          )}
        </Fact>
        <Fact label={isRunning(subscription) ? "Period began" : "Last period began"}>
          {subscription.period_start === null ? (
            <Absent reason="No period has begun." />
          ) : (
            <Instant at={subscription.period_start} />
          )}
        </Fact>
        <Fact label="Paid through">
          {subscription.payment_provider === "manual"
            ? "test payments: no money moves"
            : subscription.payment_provider}
        </Fact>
      </Box>
      {standing !== null && <Alert severity={standing.tone}>{standing.text}</Alert>}
      <ProposedPrice subscription={subscription} />
    </Paper>
  );
}

function Fact({ label, children }: { label: string; children: ReactNode }) {
  return (
    <Box>
      <Typography variant="caption" color="textSecondary" component="dt">
        {label}
      </Typography>
      <Typography component="dd" sx={{ m: 0, fontVariantNumeric: "tabular-nums" }}>
        {children}
      </Typography>
    </Box>
  );
}
