import Paper from "@mui/material/Paper";
import Stack from "@mui/material/Stack";
import { useQuery } from "@tanstack/react-query";

import { Figure } from "../../elements/Figure";
import { count } from "../../format/numbers";
import { amounts } from "../money";
import { moneySummary, type OwnSignal } from "../queries";

/** Sums over all signals. */
export function Totals({ signals }: { signals: OwnSignal[] }) {
  const money = useQuery(moneySummary());
  const live = signals.filter((each) => each.live_versions.length > 0).length;
  const paying = signals.reduce((sum, each) => sum + each.paying, 0);
  const trialing = signals.reduce((sum, each) => sum + each.trialing, 0);
  return (
    <Paper sx={{ p: 2, mb: 3 }}>
      <Stack direction="row" useFlexGap sx={{ flexWrap: "wrap", columnGap: 5, rowGap: 2 }}>
        <Figure label="Signals live" value={count(live)} note={`of ${count(signals.length)}`} />
        <Figure label="Paying subscribers" value={count(paying)} />
        <Figure label="In their trial" value={count(trialing)} />
        <Figure
          label="Earned this month"
          value={amounts(
            (money.data?.this_month ?? []).map((each) => [
              each.share_minor +
                each.refunded_minor +
                each.charged_back_minor +
                each.credited_minor,
              each.currency,
            ]),
          )}
          reason="Nothing was paid, refunded or credited this month."
          note="your share, less what went back"
        />
        <Figure
          label="Balance"
          value={amounts(
            (money.data?.balances ?? []).map((each) => [each.balance_minor, each.currency]),
          )}
          reason="No money has moved yet."
        />
      </Stack>
    </Paper>
  );
}
