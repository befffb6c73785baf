import Box from "@mui/material/Box";
import Typography from "@mui/material/Typography";
import type { ReactNode } from "react";

import type { Schemas } from "../api/client";
import { SubscribeButton } from "../elements/subscribe/SubscribeButton";
import { priceOf } from "./OfferAction";

/** What a subscription is, costs and opens. */
export function OfferPanel({ signal }: { signal: Schemas["Signal"] }) {
  const { offer } = signal;
  if (offer == null) {
    return (
      <Typography color="textSecondary">
        The provider has no offer now. What is public stays public: records, performance, revealed
        forecasts.
      </Typography>
    );
  }
  return (
    <>
      <Box component="dl" sx={{ m: 0, mb: 2, display: "grid", gap: 0.75 }}>
        <Fact name="Price">{priceOf(offer)}</Fact>
        <Fact name="Trial">{offer.trial_days === 0 ? "none" : `${offer.trial_days} days`}</Fact>
        <Fact name="Public after">{offer.reveal_after_hours} h</Fact>
        <Fact name="Missed hours">are credited</Fact>
      </Box>
      <SubscribeButton signal={signal} />
    </>
  );
}

function Fact({ name, children }: { name: string; children: ReactNode }) {
  return (
    <Box sx={{ display: "flex", justifyContent: "space-between", gap: 2 }}>
      <Typography component="dt" variant="body2" color="textSecondary">
        {name}
      </Typography>
      <Typography component="dd" variant="body2" sx={{ m: 0, fontWeight: 600 }}>
        {children}
      </Typography>
    </Box>
  );
}
