import Alert from "@mui/material/Alert";
import Button from "@mui/material/Button";
import Typography from "@mui/material/Typography";
import { useMutation } from "@tanstack/react-query";
import { useState } from "react";

import { answer, api } from "../api/client";
import { ConfirmDialog } from "../elements/ConfirmDialog";
import { notify } from "../elements/notices";
import { type Subscription, useSubscriptionsChanged } from "../elements/subscribe/subscriptions";
import { Instant } from "../format/Instant";
import { money } from "../format/numbers";
import { byId } from "./Acts";

/** The price a provider proposes: it holds for nobody who did not say yes. */
export function ProposedPrice({ subscription }: { subscription: Subscription }) {
  const [isOpen, setOpen] = useState(false);
  const changed = useSubscriptionsChanged();
  const consent = useMutation({
    mutationFn: () =>
      answer(api.POST("/v1/subscriptions/{subscription_id}/consent", byId(subscription))),
    onSuccess: async () => {
      setOpen(false);
      await changed();
      notify("The new price is accepted");
    },
  });
  const { proposal } = subscription;
  if (proposal === null) return null;
  const now = money(subscription.amount_minor, subscription.currency);
  const then = money(proposal.amount_minor, proposal.currency);
  return (
    <>
      <Alert
        severity={proposal.ends_old_terms ? "warning" : "info"}
        sx={{ mt: 1 }}
        action={
          <Button color="inherit" size="small" onClick={() => setOpen(true)}>
            Accept
          </Button>
        }
      >
        A new price is proposed: {then} a month instead of {now}, for periods from{" "}
        <Instant at={proposal.effective_from} /> on.{" "}
        {proposal.ends_old_terms
          ? "If you do not accept it, the subscription ends with the period that runs then."
          : "If you do nothing, you keep your price."}
      </Alert>
      <ConfirmDialog
        open={isOpen}
        title={`Pay ${then} a month?`}
        confirm={`Accept ${then}`}
        busy={consent.isPending}
        error={consent.error}
        onConfirm={() => consent.mutate()}
        onClose={() => setOpen(false)}
      >
        <Typography>
          {subscription.signal} costs you {now} a month now, and {then} for periods that begin on{" "}
          <Instant at={proposal.effective_from} /> or later.
        </Typography>
      </ConfirmDialog>
    </>
  );
}
