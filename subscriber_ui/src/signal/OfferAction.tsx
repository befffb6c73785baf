import Typography from "@mui/material/Typography";

import type { Schemas } from "../api/client";
import { SubscribeButton } from "../elements/subscribe/SubscribeButton";
import { money } from "../format/numbers";

/** What it costs, and the way to have it. */
export function OfferAction({ signal }: { signal: Schemas["Signal"] }) {
  const { offer } = signal;
  return (
    <>
      {offer != null && (
        <Typography sx={{ alignSelf: "center", fontVariantNumeric: "tabular-nums" }}>
          <strong>{priceOf(offer)}</strong>
          {offer.trial_days > 0 && ` · ${offer.trial_days} days of trial`}
        </Typography>
      )}
      <SubscribeButton signal={signal} />
    </>
  );
}

export function priceOf(offer: Schemas["catalogue_Offer"]): string {
  return offer.amount_minor === 0 ? "Free" : `${money(offer.amount_minor, offer.currency)} a month`;
}
