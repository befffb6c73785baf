import Box from "@mui/material/Box";
import Typography from "@mui/material/Typography";

import { Section } from "../elements/Section";

const CASES = [
  {
    slot: "A missed slot",
    comes:
      "It stays missed: record, leaf and credit stand. The model runs again on what was knowable " +
      "then, and its answer is stored beside the miss as replayed, without a leaf. Without an " +
      "answer nothing is stored, and Dagster's check fails again.",
  },
  {
    slot: "A slot that is owed and not recorded, up to 48 hours old",
    comes:
      "It becomes what the schedule would make of it: live up to its deadline, late after it, or " +
      "missed where the model gives no answer; with a leaf. The schedule does this by itself.",
  },
  {
    slot: "A slot that is owed and not recorded, older than 48 hours",
    comes: "It stays open. An answer is stored as replayed.",
  },
  {
    slot: "A live or late slot",
    comes: "Nothing is run: Dagster shows what is recorded.",
  },
  {
    slot: "A missed slot of a version that is offline or retired",
    comes: "Nothing is run.",
  },
];

/** What running a slot again does, and what it cannot do. */
export function RunAgain() {
  return (
    <Section
      title="Running a slot again"
      lead="Open in Dagster leads to the slot's partition of the version's asset. Choose Materialize there. Nothing that is recorded is changed by it:"
    >
      <Box component="dl" sx={{ m: 0, maxWidth: 860 }}>
        {CASES.map(({ slot, comes }) => (
          <Box key={slot} sx={{ mb: 1.25 }}>
            <Typography component="dt" variant="body2" sx={{ fontWeight: 600 }}>
              {slot}
            </Typography>
            <Typography component="dd" variant="body2" color="textSecondary" sx={{ m: 0 }}>
              {comes}
            </Typography>
          </Box>
        ))}
      </Box>
    </Section>
  );
}
