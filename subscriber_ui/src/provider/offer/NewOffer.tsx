import Box from "@mui/material/Box";
import Button from "@mui/material/Button";
import Checkbox from "@mui/material/Checkbox";
import FormControlLabel from "@mui/material/FormControlLabel";
import Stack from "@mui/material/Stack";
import TextField from "@mui/material/TextField";
import Typography from "@mui/material/Typography";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { type SubmitEvent, useState } from "react";

import { answer, api } from "../../api/client";
import { now as platformNow } from "../../api/clock";
import { CopyField } from "../../elements/CopyField";
import { ErrorState } from "../../elements/ErrorState";
import { notify } from "../../elements/notices";
import { Section } from "../../elements/Section";
import { ALL_OF_PROVIDER, type Path } from "../queries";
import { areDays, minorOf, offerLines } from "./manifest";
import type { PastOffer } from "./PriceHistory";

const DAY_MS = 86_400_000;
const NOTICE_DAYS = 31; // the API asks for 30 full days

/** A new price: for whoever subscribes from now on, and by notice for those who did. */
export function NewOffer({ path, current }: { path: Path; current: PastOffer }) {
  const queries = useQueryClient();
  const [price, setPrice] = useState((current.amount_minor / 100).toFixed(2));
  const [trialDays, setTrialDays] = useState(String(current.trial_days));
  const [isProposed, setProposed] = useState(false);
  const [endsOld, setEndsOld] = useState(false);
  const [from, setFrom] = useState(() => earliest(platformNow()));
  const minor = minorOf(price);
  const making = useMutation({
    mutationFn: () =>
      answer(
        api.POST("/v1/signals/{provider}/{name}/offers", {
          params: { path },
          body: {
            amount_minor: minor ?? 0,
            currency: current.currency,
            trial_days: Number(trialDays),
            effective_from: isProposed ? `${from}T00:00:00Z` : null,
            ends_old_terms: isProposed && endsOld,
          },
        }),
      ),
    onSuccess: () => notify("The new price binds whoever subscribes from now on"),
    onSettled: () => queries.invalidateQueries({ queryKey: ALL_OF_PROVIDER }),
  });
  const isValid = minor !== null && areDays(trialDays);
  const lines = offerLines(price, trialDays);
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    if (isValid) making.mutate();
  };
  return (
    <Section
      title="New price"
      lead="It binds who subscribes from now on. Who subscribes already keeps the price they agreed to, unless they consent to the new one."
    >
      <Box component="form" noValidate onSubmit={submit} sx={{ maxWidth: 620, pt: 1 }}>
        <Stack spacing={2}>
          <Stack direction={{ xs: "column", sm: "row" }} spacing={2}>
            <TextField
              label={`Price a month, ${current.currency}`}
              value={price}
              onChange={(event) => setPrice(event.target.value)}
              error={minor === null}
              helperText="0 to 99999.99, two decimals"
              slotProps={{ htmlInput: { inputMode: "decimal" } }}
            />
            <TextField
              label="Trial days"
              value={trialDays}
              onChange={(event) => setTrialDays(event.target.value)}
              error={!areDays(trialDays)}
              helperText="0 to 30"
              slotProps={{ htmlInput: { inputMode: "numeric" } }}
            />
          </Stack>
          <FormControlLabel
            control={
              <Checkbox
                checked={isProposed}
                onChange={(event) => setProposed(event.target.checked)}
              />
            }
            label="Propose it to present subscribers too"
          />
          {isProposed && (
            <>
              <TextField
                type="date"
                label="For periods that begin from, UTC"
                value={from}
                onChange={(event) => setFrom(event.target.value)}
                helperText="30 days ahead or more. They are written to, and may consent."
                slotProps={{ inputLabel: { shrink: true } }}
              />
              <FormControlLabel
                control={
                  <Checkbox
                    checked={endsOld}
                    onChange={(event) => setEndsOld(event.target.checked)}
                  />
                }
                label="End the old terms: who does not consent ends with the period that runs then"
              />
            </>
          )}
          {making.error !== null && <ErrorState error={making.error} />}
          <div>
            <Button
              type="submit"
              variant="contained"
              disabled={!isValid}
              loading={making.isPending}
            >
              Make the offer
            </Button>
          </div>
          {lines !== null && (
            <div>
              <Typography variant="body2" sx={{ mb: 1 }}>
                Write it into signal.toml as well: a version that is published with another offer
                makes that one anew.
              </Typography>
              <CopyField
                name="the offer for signal.toml"
                text={lines.replace('"EUR"', `"${current.currency}"`)}
              />
            </div>
          )}
        </Stack>
      </Box>
    </Section>
  );
}

/** The first day whose midnight is far enough ahead. */
function earliest(now: number): string {
  return new Date(now + NOTICE_DAYS * DAY_MS).toISOString().slice(0, 10);
}
