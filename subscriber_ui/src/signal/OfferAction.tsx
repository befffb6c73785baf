import Typography from "@mui/material/Typography";

import type { Schemas } from "../api/client";
import { RouterButton } from "../elements/RouterLink";
import { money } from "../format/numbers";

type Offer = Schemas["catalogue_Offer"];

/** What it costs, and the way to have it. */
export function OfferAction({ signal }: { signal: Schemas["Signal"] }) {
  const { offer } = signal;
  if (offer == null) return <Typography color="textSecondary">no offer now</Typography>;
  return (
    <>
      <Typography sx={{ alignSelf: "center", fontVariantNumeric: "tabular-nums" }}>
        <strong>{priceOf(offer)}</strong>
        {offer.trial_days > 0 && ` · ${offer.trial_days} days of trial`}
      </Typography>
      <SubscribeLink offer={offer} />
    </>
  );
}

export function SubscribeLink({ offer }: { offer: Offer }) {
  return (
    <RouterButton to="/login" variant="contained">
      {offer.trial_days > 0 ? "Start the trial" : "Subscribe"}
    </RouterButton>
  );
}

export function priceOf(offer: Offer): string {
  return offer.amount_minor === 0 ? "Free" : `${money(offer.amount_minor, offer.currency)} a month`;
}
