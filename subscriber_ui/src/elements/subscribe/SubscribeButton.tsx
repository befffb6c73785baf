import Button from "@mui/material/Button";
import Stack from "@mui/material/Stack";
import Typography from "@mui/material/Typography";
import { useMutation } from "@tanstack/react-query";
import { useLocation } from "@tanstack/react-router";
import { useState } from "react";

import { answer, api, type Schemas } from "../../api/client";
import { instant } from "../../format/instants";
import { money } from "../../format/numbers";
import { useSession } from "../../session/session";
import { ConfirmDialog } from "../ConfirmDialog";
import { notify } from "../notices";
import { RouterButton } from "../RouterLink";
import { StateBadge } from "../StateBadge";
import { isRunning, useSubscriptions, useSubscriptionsChanged } from "./subscriptions";

type Offer = NonNullable<Schemas["Signal"]["offer"]>;

interface Props {
  signal: Pick<Schemas["Signal"], "signal" | "offer" | "is_own">;
}

/** How to read a signal's forecasts: trial, subscription, or the one that there is. */
export function SubscribeButton({ signal }: Props) {
  const session = useSession();
  const here = useLocation({ select: (location) => location.href });
  const mine = useSubscriptions(session.state === "in");
  const ofSignal = (mine.data ?? []).filter((each) => each.signal === signal.signal);
  const running = ofSignal.find(isRunning);
  if (signal.is_own) {
    return (
      <Typography variant="body2" color="textSecondary">
        Your own signal: you read it without subscribing.
      </Typography>
    );
  }
  if (running !== undefined) {
    return (
      <Stack direction="row" spacing={1} sx={{ alignItems: "center" }}>
        <StateBadge state={running.state} />
        <RouterButton to={running.state === "incomplete" ? "/subscriptions" : "/forecasts"}>
          {running.state === "incomplete" ? "Pay now" : "My forecasts"}
        </RouterButton>
      </Stack>
    );
  }
  if (signal.offer === null || signal.offer === undefined) {
    return (
      <Typography variant="body2" color="textSecondary">
        Not on offer: it takes no new subscribers.
      </Typography>
    );
  }
  const isTrial = signal.offer.trial_days > 0 && !ofSignal.some((each) => each.had_trial);
  if (session.state !== "in") {
    return (
      <RouterButton to="/login" search={{ next: here }} variant="contained">
        {verb(isTrial)}
      </RouterButton>
    );
  }
  return (
    <Begin
      signal={signal.signal}
      offer={signal.offer}
      isTrial={isTrial}
      isKnown={mine.data !== undefined}
    />
  );
}

interface BeginProps {
  signal: string;
  offer: Offer;
  isTrial: boolean;
  /** Whether it is known what I subscribe to already. */
  isKnown: boolean;
}

function Begin({ signal, offer, isTrial, isKnown }: BeginProps) {
  const [isOpen, setOpen] = useState(false);
  const changed = useSubscriptionsChanged();
  const subscribe = useMutation({
    mutationFn: () => answer(api.POST("/v1/subscriptions", { body: { signal } })),
    onSuccess: async (made) => {
      if (made.state === "incomplete" && made.checkout_url !== null) {
        globalThis.location.assign(made.checkout_url);
        return;
      }
      setOpen(false);
      await changed();
      const until = made.period_end === null ? "" : ` until ${instant(made.period_end, "UTC")}`;
      notify(`You read ${signal}${until}`);
    },
  });
  return (
    <>
      <Button variant="contained" disabled={!isKnown} onClick={() => setOpen(true)}>
        {verb(isTrial)}
      </Button>
      <ConfirmDialog
        open={isOpen}
        title={`${verb(isTrial)}: ${signal}`}
        confirm={verb(isTrial)}
        busy={subscribe.isPending}
        error={subscribe.error}
        onConfirm={() => subscribe.mutate()}
        onClose={() => setOpen(false)}
      >
        <Terms offer={offer} isTrial={isTrial} />
      </ConfirmDialog>
    </>
  );
}

function Terms({ offer, isTrial }: { offer: Offer; isTrial: boolean }) {
  return (
    <Typography>
      {costs(offer, isTrial)} You read its forecasts as soon as they are published. Cancel whenever
      you like: you read on to the end of the period.
    </Typography>
  );
}

function costs(offer: Offer, isTrial: boolean): string {
  if (offer.amount_minor === 0) return "It is free; you confirm once on the next page.";
  const price = money(offer.amount_minor, offer.currency);
  if (!isTrial) return `${price} a month, from the day you pay.`;
  return (
    `${offer.trial_days} days free, once per person, card and signal.` +
    ` Then ${price} a month, if you pay.`
  );
}

function verb(isTrial: boolean): string {
  return isTrial ? "Start trial" : "Subscribe";
}
