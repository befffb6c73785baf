import Button from "@mui/material/Button";
import Stack from "@mui/material/Stack";
import Typography from "@mui/material/Typography";
import { useMutation } from "@tanstack/react-query";
import { useState } from "react";

import { answer, api } from "../api/client";
import { ProblemError } from "../api/problem";
import { ConfirmDialog } from "../elements/ConfirmDialog";
import { notify } from "../elements/notices";
import {
  goAndPay,
  isRunning,
  type Subscription,
  useSubscriptionsChanged,
} from "../elements/subscribe/subscriptions";
import { Instant } from "../format/Instant";

interface Props {
  subscription: Subscription;
}

/** What can be done with a subscription in its state. */
export function Acts({ subscription }: Props) {
  if (!isRunning(subscription)) return null;
  return (
    <Stack direction="row" spacing={1} useFlexGap sx={{ flexWrap: "wrap" }}>
      {subscription.checkout_url !== null && <PayNow subscription={subscription} />}
      {subscription.payment_provider !== "manual" && subscription.state !== "incomplete" && (
        <CardAndReceipts subscription={subscription} />
      )}
      {subscription.cancel_at_period_end ? (
        <Resume subscription={subscription} />
      ) : (
        <Cancel subscription={subscription} />
      )}
    </Stack>
  );
}

function PayNow({ subscription }: Props) {
  const changed = useSubscriptionsChanged();
  const pay = useMutation({
    mutationFn: () => goAndPay(subscription.id),
    onSuccess: async (isPayable) => {
      if (isPayable) return;
      notify("There is nothing to pay any more", "info");
      await changed();
    },
    onError: tell,
  });
  return (
    <Button variant="contained" loading={pay.isPending} onClick={() => pay.mutate()}>
      {payVerb(subscription)}
    </Button>
  );
}

function payVerb({ due_minor: due, state }: Subscription): string {
  if (due === 0) return "Confirm";
  return state === "trialing" ? "Pay ahead" : "Pay now";
}

function CardAndReceipts({ subscription }: Props) {
  const open = useMutation({
    mutationFn: () =>
      answer(api.POST("/v1/subscriptions/{subscription_id}/portal", byId(subscription))),
    onSuccess: ({ url }) => globalThis.location.assign(url),
    onError: tell,
  });
  return (
    <Button variant="outlined" loading={open.isPending} onClick={() => open.mutate()}>
      Card and receipts
    </Button>
  );
}

function Resume({ subscription }: Props) {
  const changed = useSubscriptionsChanged();
  const resume = useMutation({
    mutationFn: () =>
      answer(api.POST("/v1/subscriptions/{subscription_id}/resume", byId(subscription))),
    onSuccess: async () => {
      await changed();
      notify(`${subscription.signal} goes on`);
    },
    onError: tell,
  });
  return (
    <Button variant="outlined" loading={resume.isPending} onClick={() => resume.mutate()}>
      Resume
    </Button>
  );
}

function Cancel({ subscription }: Props) {
  const [isOpen, setOpen] = useState(false);
  const changed = useSubscriptionsChanged();
  const cancel = useMutation({
    mutationFn: () =>
      answer(api.POST("/v1/subscriptions/{subscription_id}/cancel", byId(subscription))),
    onSuccess: async () => {
      setOpen(false);
      await changed();
      notify(`${subscription.signal} is canceled`);
    },
  });
  const { period_end: end, state } = subscription;
  return (
    <>
      <Button color="inherit" variant="outlined" onClick={() => setOpen(true)}>
        Cancel subscription
      </Button>
      <ConfirmDialog
        open={isOpen}
        title={`Cancel ${subscription.signal}?`}
        confirm="Cancel subscription"
        color="error"
        busy={cancel.isPending}
        error={cancel.error}
        onConfirm={() => cancel.mutate()}
        onClose={() => setOpen(false)}
      >
        {(state === "trialing" || state === "active") && end !== null ? (
          <Typography>
            You read on until <Instant at={end} />, and can take it back until then. Nothing more is
            charged.
          </Typography>
        ) : (
          <Typography>It ends at once: this period is not paid. Nothing is charged.</Typography>
        )}
      </ConfirmDialog>
    </>
  );
}

export function byId({ id }: Subscription) {
  return { params: { path: { subscription_id: id } } };
}

function tell(error: unknown): void {
  notify(error instanceof ProblemError ? error.message : "That did not work: try again.", "error");
}
