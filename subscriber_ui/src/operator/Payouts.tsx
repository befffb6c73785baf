import Box from "@mui/material/Box";
import Button from "@mui/material/Button";
import Stack from "@mui/material/Stack";
import TextField from "@mui/material/TextField";
import { useMutation } from "@tanstack/react-query";
import { useState } from "react";

import { answer, api, type Schemas } from "../api/client";
import { now } from "../api/clock";
import { type Column, DataTable } from "../elements/DataTable";
import { EmptyState } from "../elements/EmptyState";
import { Section } from "../elements/Section";
import { money } from "../format/numbers";
import { ConfirmDialog } from "./ConfirmDialog";
import { monthBefore } from "./months";

type ProviderPayout = Schemas["ProviderPayout"];

const CARRIED: Record<string, string> = {
  below_minimum: "carried over: below the minimum",
  negative: "carried over: negative",
};

const COLUMNS: Column<ProviderPayout>[] = [
  { id: "provider", header: "Provider", value: (payout) => payout.provider },
  {
    id: "balance_minor",
    header: "Balance",
    numeric: true,
    value: (payout) => payout.balance_minor,
    cell: (payout) => money(payout.balance_minor, payout.currency),
  },
  {
    id: "amount_minor",
    header: "Paid out",
    numeric: true,
    value: (payout) => payout.amount_minor,
    cell: (payout) => money(payout.amount_minor, payout.currency),
  },
  {
    id: "carried",
    header: "Outcome",
    value: (payout) => payout.carried,
    cell: ({ carried }) => (carried === null ? "paid out" : (CARRIED[carried] ?? carried)),
  },
];

/** Settle a month of every provider; once per provider and currency. */
export function Payouts() {
  const [month, setMonth] = useState(() => monthBefore(now()));
  const [isAsking, setAsking] = useState(false);
  const run = useMutation({
    mutationFn: () => answer(api.POST("/v1/admin/payouts", { body: { month } })),
    onSuccess: () => setAsking(false),
  });
  const ask = () => {
    run.reset();
    setAsking(true);
  };
  return (
    <Section
      title="Payouts"
      lead="Settles a month that is over for every provider. A month is settled once: run again, it answers the same."
    >
      <Stack
        component="form"
        direction="row"
        useFlexGap
        spacing={1.5}
        sx={{ flexWrap: "wrap", mt: 1, mb: 1 }}
        onSubmit={(event) => {
          event.preventDefault();
          ask();
        }}
      >
        <TextField
          label="Month to settle"
          type="month"
          value={month}
          required
          onChange={(event) => setMonth(event.target.value)}
          slotProps={{ inputLabel: { shrink: true }, htmlInput: { pattern: "\\d{4}-\\d{2}" } }}
          sx={{ width: { xs: "100%", sm: 200 } }}
        />
        <Button type="submit" variant="outlined">
          Run payouts
        </Button>
      </Stack>
      {run.data !== undefined && (
        <Box sx={{ mx: -2 }}>
          <DataTable
            caption={`Payouts of ${run.data.month.slice(0, 7)}`}
            columns={COLUMNS}
            rows={run.data.payouts}
            rowKey={(payout) => `${payout.provider} ${payout.currency}`}
            empty={
              <EmptyState title={`Nothing to settle in ${run.data.month.slice(0, 7)}`}>
                No provider had a balance in it.
              </EmptyState>
            }
          />
        </Box>
      )}
      <ConfirmDialog
        isOpen={isAsking}
        title={`Settle ${month}?`}
        act="Run payouts"
        isBusy={run.isPending}
        error={run.error}
        onConfirm={() => run.mutate()}
        onClose={() => setAsking(false)}
      >
        Every provider's balance at the end of {month} is paid out or carried over. It is booked for
        good.
      </ConfirmDialog>
    </Section>
  );
}
