import Stack from "@mui/material/Stack";

import type { Schemas } from "../api/client";
import { Figure } from "../elements/Figure";
import { count, money, percent } from "../format/numbers";

type BusinessFigure = Schemas["Figure"];

interface Meaning {
  label: string;
  note: string;
  written: (value: number, currency: string | null) => string;
}

const MEANINGS: Record<string, Meaning> = {
  mrr: {
    label: "MRR",
    note: "prices per month of active subscriptions",
    written: (value, currency) => (currency === null ? count(value) : money(value, currency)),
  },
  active: { label: "Active", note: "subscriptions in a paid period", written: count },
  trials: { label: "Trials", note: "begun, not ended, not paid", written: count },
  conversion: {
    label: "Conversion",
    note: "of trials that ended in 30 days, paid",
    written: (value) => percent(value),
  },
  churn: {
    label: "Churn",
    note: "of those active 30 days before, gone",
    written: (value) => percent(value),
  },
};
const ORDER = Object.keys(MEANINGS);

/** The figures of the whole installation; why one is not there, on hover and focus. */
export function BusinessFigures({ figures }: { figures: BusinessFigure[] }) {
  const sorted = [...figures].sort((one, other) => rank(one) - rank(other));
  return (
    <Stack direction="row" useFlexGap spacing={4} sx={{ flexWrap: "wrap" }}>
      {sorted.map((figure) => (
        <One key={`${figure.metric} ${figure.currency ?? ""}`} figure={figure} />
      ))}
    </Stack>
  );
}

function One({ figure }: { figure: BusinessFigure }) {
  const { metric, currency, value, reason } = figure;
  const meaning = MEANINGS[metric];
  const label = meaning?.label ?? metric.replaceAll("_", " ");
  return (
    <Figure
      label={currency === null ? label : `${label}, ${currency}`}
      value={value === null ? null : (meaning?.written ?? count)(value, currency)}
      reason={reason}
      note={meaning?.note}
    />
  );
}

function rank(figure: BusinessFigure): number {
  const at = ORDER.indexOf(figure.metric);
  return at < 0 ? ORDER.length : at;
}
