import Paper from "@mui/material/Paper";
import Skeleton from "@mui/material/Skeleton";
import Stack from "@mui/material/Stack";
import { useQuery } from "@tanstack/react-query";

import { Awaited } from "../../elements/Awaited";
import { Figure } from "../../elements/Figure";
import { PageHead } from "../../elements/PageHead";
import { count } from "../../format/numbers";
import { amounts } from "../money";
import { moneySummary } from "../queries";
import { BySignal } from "./BySignal";
import { Payouts } from "./Payouts";
import { Statements } from "./Statements";

/** What signals bring: the balance, months, payouts. */
export function RevenuePage() {
  const summary = useQuery(moneySummary());
  return (
    <>
      <PageHead
        title="Revenue"
        lead="Your share of what subscribers paid, less what went back. Months are calendar months, UTC. You never see who your subscribers are."
      />
      <Awaited query={summary} skeleton={<Skeleton variant="rounded" height={92} sx={{ mb: 3 }} />}>
        {({ balances, this_month: month, signals }) => (
          <Paper sx={{ p: 2, mb: 3 }}>
            <Stack direction="row" useFlexGap sx={{ flexWrap: "wrap", columnGap: 5, rowGap: 2 }}>
              <Figure
                label="Balance"
                value={amounts(balances.map((each) => [each.balance_minor, each.currency]))}
                reason="No money has moved yet."
                note="paid out when its month is over"
              />
              <Figure
                label="Share this month"
                value={amounts(month.map((each) => [each.share_minor, each.currency]))}
                reason="No period was paid this month."
              />
              <Figure
                label="Platform's fee this month"
                value={amounts(month.map((each) => [each.platform_fee_minor, each.currency]))}
                reason="No period was paid this month."
              />
              <Figure
                label="Paying subscribers"
                value={count(signals.reduce((sum, each) => sum + each.paying, 0))}
                note={`${count(signals.reduce((sum, each) => sum + each.trialing, 0))} in their trial`}
              />
            </Stack>
          </Paper>
        )}
      </Awaited>
      <BySignal />
      <Statements />
      <Payouts />
    </>
  );
}
