import Chip from "@mui/material/Chip";

type Tone = "success" | "warning" | "error" | "info" | "default";

const TONES: Record<string, Tone> = {
  live: "success",
  active: "success",
  trialing: "info",
  ok: "success",
  delivered: "success",
  building: "info",
  pending: "info",
  incomplete: "warning",
  past_due: "warning",
  late: "warning",
  unknown: "warning",
  offline: "warning",
  failed: "error",
  failing: "error",
  rejected: "error",
  dropped: "error",
};

/** A state of the API's, in its words; colour only repeats them. */
export function StateBadge({ state }: { state: string }) {
  return (
    <Chip
      label={state.replaceAll("_", " ")}
      size="small"
      variant="outlined"
      color={TONES[state] ?? "default"}
      sx={{ height: 22, fontWeight: 600 }}
    />
  );
}
