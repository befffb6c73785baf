import Stack from "@mui/material/Stack";
import Typography from "@mui/material/Typography";

import { Awaited, Lines } from "../elements/Awaited";
import { EmptyState } from "../elements/EmptyState";
import { PageHead } from "../elements/PageHead";
import { RouterButton } from "../elements/RouterLink";
import {
  isRunning,
  type Subscription,
  useSubscriptions,
} from "../elements/subscribe/subscriptions";
import { SubscriptionCard } from "./SubscriptionCard";

const MOST_URGENT_FIRST = ["past_due", "incomplete", "trialing", "active", "canceled", "expired"];

export function SubscriptionsPage() {
  const mine = useSubscriptions(true);
  return (
    <>
      <PageHead
        title="Subscriptions"
        lead="What you read, until when, and what it costs."
        actions={
          <RouterButton to="/invoices" variant="outlined">
            Invoices
          </RouterButton>
        }
      />
      <Awaited query={mine} skeleton={<Lines count={3} height={160} />}>
        {(subscriptions) => <Subscriptions all={subscriptions} />}
      </Awaited>
    </>
  );
}

function Subscriptions({ all }: { all: Subscription[] }) {
  const running = inOrder(all.filter(isRunning));
  const over = inOrder(all.filter((each) => !isRunning(each)));
  if (all.length === 0) {
    return (
      <EmptyState
        title="You subscribe to no signal yet"
        action={
          <RouterButton to="/" variant="contained">
            See all signals
          </RouterButton>
        }
      >
        Most signals have a trial: you read their forecasts for some days, and pay only if you stay.
      </EmptyState>
    );
  }
  return (
    <>
      <Stack spacing={2}>
        {running.map((each) => (
          <SubscriptionCard key={each.id} subscription={each} />
        ))}
      </Stack>
      {over.length > 0 && (
        <>
          <Typography variant="h2" sx={{ mt: 4, mb: 1.5 }}>
            Over
          </Typography>
          <Stack spacing={2}>
            {over.map((each) => (
              <SubscriptionCard key={each.id} subscription={each} />
            ))}
          </Stack>
        </>
      )}
    </>
  );
}

function inOrder(subscriptions: Subscription[]): Subscription[] {
  return subscriptions.toSorted(
    (a, b) =>
      MOST_URGENT_FIRST.indexOf(a.state) - MOST_URGENT_FIRST.indexOf(b.state) ||
      a.signal.localeCompare(b.signal),
  );
}
