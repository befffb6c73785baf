import Chip from "@mui/material/Chip";
import Tooltip from "@mui/material/Tooltip";

export type Provenance = "live" | "late" | "missed" | "replayed" | "backfilled";

const MEANS: Record<Provenance, string> = {
  live: "Published on the hour and proven to have been there by its deadline.",
  late: "Published, but not proven to have been there by its deadline.",
  missed: "Due, and not there: it counts against the signal.",
  replayed: "Computed later over past data. Hypothetical: nobody could have read it then.",
  backfilled:
    "Run later for an hour that had passed. Hypothetical: nobody could have read it then.",
};

/** Where a forecast comes from, by word and colour. */
export function ProvenanceBadge({ of }: { of: Provenance }) {
  return (
    <Tooltip describeChild title={MEANS[of]}>
      <Chip
        label={of}
        size="small"
        variant="outlined"
        tabIndex={0}
        sx={(theme) => ({
          color: `var(--mui-palette-provenance-${of}, ${theme.palette.provenance[of]})`,
          borderColor: "currentcolor",
          fontWeight: 600,
          height: 22,
        })}
      />
    </Tooltip>
  );
}
