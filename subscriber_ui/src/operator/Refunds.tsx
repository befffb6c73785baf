import Button from "@mui/material/Button";
import Stack from "@mui/material/Stack";
import TextField from "@mui/material/TextField";
import { useMutation } from "@tanstack/react-query";
import { useState } from "react";

import { answer, api } from "../api/client";
import { notify } from "../elements/notices";
import { Section } from "../elements/Section";
import { fixed } from "../format/numbers";
import { minorUnits } from "./amounts";
import { ConfirmDialog } from "./ConfirmDialog";

/** Give back money of an invoice, all that is left of it or a part. */
export function Refunds() {
  const [invoice, setInvoice] = useState("");
  const [written, setWritten] = useState("");
  const [isAsking, setAsking] = useState(false);
  const isWhole = written.trim() === "";
  const amount = isWhole ? null : minorUnits(written);
  const isWrong = !isWhole && amount === null;
  const refund = useMutation({
    mutationFn: () =>
      answer(
        api.POST("/v1/admin/refunds", { body: { invoice: invoice.trim(), amount_minor: amount } }),
      ),
    onSuccess: (done) => {
      setAsking(false);
      setInvoice("");
      setWritten("");
      const told = done.is_booked
        ? "Booked."
        : `${done.payment_provider} will tell when it is paid.`;
      notify(`${fixed(done.amount_minor / 100, 2)} of ${done.invoice} goes back. ${told}`);
    },
  });
  const ask = () => {
    if (isWrong) return;
    refund.reset();
    setAsking(true);
  };
  return (
    <Section
      title="Refunds"
      lead="Money of an invoice back to who paid it. The whole of a running period back ends the subscription at once."
    >
      <Stack
        component="form"
        direction="row"
        useFlexGap
        spacing={1.5}
        sx={{ flexWrap: "wrap", alignItems: "flex-start", mt: 1 }}
        onSubmit={(event) => {
          event.preventDefault();
          ask();
        }}
      >
        <TextField
          label="Invoice"
          placeholder="2026-000001"
          value={invoice}
          required
          onChange={(event) => setInvoice(event.target.value)}
          slotProps={{ inputLabel: { shrink: true }, htmlInput: { maxLength: 40 } }}
          sx={{ width: { xs: "100%", sm: 200 } }}
        />
        <TextField
          label="Amount"
          placeholder="All that is left"
          value={written}
          error={isWrong}
          helperText={isWrong ? "Write an amount such as 12.50" : "In the invoice's currency"}
          onChange={(event) => setWritten(event.target.value)}
          slotProps={{ inputLabel: { shrink: true }, htmlInput: { inputMode: "decimal" } }}
          sx={{ width: { xs: "100%", sm: 200 } }}
        />
        <Button type="submit" variant="outlined" disabled={isWrong}>
          Refund
        </Button>
      </Stack>
      <ConfirmDialog
        isOpen={isAsking}
        title={`Refund ${invoice.trim()}?`}
        act="Refund"
        isBusy={refund.isPending}
        error={refund.error}
        onConfirm={() => refund.mutate()}
        onClose={() => setAsking(false)}
      >
        {amount === null ? "All that did not go back yet" : fixed(amount / 100, 2)} of invoice{" "}
        {invoice.trim()} goes back to who paid it. It cannot be taken back.
      </ConfirmDialog>
    </Section>
  );
}
