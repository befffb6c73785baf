import Box from "@mui/material/Box";
import Typography from "@mui/material/Typography";

import type { Schemas } from "../api/client";
import { count, percent } from "../format/numbers";

type Counts = Pick<
  Schemas["TrackRecord"],
  "due" | "live" | "late" | "missed" | "pending" | "unopened"
>;

interface Part {
  name: string;
  slots: number;
  color: string;
  /** So that parts differ without colour. */
  pattern?: string;
}

const STRIPES =
  "repeating-linear-gradient(45deg, transparent 0 4px, var(--mui-palette-background-paper) 4px 6px)";

export function partsOf({ live, late, missed, pending, unopened }: Counts): Part[] {
  const parts: Part[] = [
    { name: "live", slots: live, color: "var(--mui-palette-provenance-live)" },
    { name: "late", slots: late, color: "var(--mui-palette-provenance-late)", pattern: STRIPES },
    { name: "missed", slots: missed - unopened, color: "var(--mui-palette-provenance-missed)" },
    {
      name: "unopened",
      slots: unopened,
      color: "var(--mui-palette-provenance-missed)",
      pattern: STRIPES,
    },
    { name: "pending", slots: pending, color: "var(--mui-palette-divider)" },
  ];
  return parts.filter(({ name, slots }) => slots > 0 || name !== "pending");
}

/** Every slot that was due, by what became of it. */
export function LiveRecordBar({ counts }: { counts: Counts }) {
  const parts = partsOf(counts);
  const told = parts.map(({ name, slots }) => `${count(slots)} ${name}`).join(", ");
  return (
    <>
      <Box
        role="img"
        aria-label={`${count(counts.due)} due slots: ${told}`}
        sx={{
          display: "flex",
          height: 14,
          borderRadius: 1,
          overflow: "hidden",
          bgcolor: "action.hover",
          gap: "1px",
        }}
      >
        {parts.map(({ name, slots, color, pattern }) => (
          <Box
            key={name}
            sx={{
              flexGrow: slots,
              minWidth: slots > 0 ? 3 : 0,
              bgcolor: color,
              backgroundImage: pattern,
            }}
          />
        ))}
      </Box>
      <Box sx={{ display: "flex", flexWrap: "wrap", columnGap: 3, rowGap: 0.5, mt: 1 }}>
        {parts.map(({ name, slots, color, pattern }) => (
          <Typography key={name} variant="body2" sx={{ fontVariantNumeric: "tabular-nums" }}>
            <Box
              component="span"
              aria-hidden
              sx={{
                display: "inline-block",
                width: 10,
                height: 10,
                borderRadius: 0.5,
                mr: 0.75,
                bgcolor: color,
                backgroundImage: pattern,
              }}
            />
            <strong>{count(slots)}</strong> {name}
            {counts.due > 0 && (
              <Box component="span" sx={{ color: "text.secondary" }}>
                {" "}
                {percent(slots / counts.due)}
              </Box>
            )}
          </Typography>
        ))}
      </Box>
    </>
  );
}
