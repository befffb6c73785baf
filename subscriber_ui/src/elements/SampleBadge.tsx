import Chip from "@mui/material/Chip";
import Tooltip from "@mui/material/Tooltip";

/** Stands wherever numbers rest on made-up prices. */
export function SampleBadge() {
  return (
    <Tooltip
      describeChild
      title="Prices of these symbols were made up by this installation for trying things out. Nothing here says anything about a market."
    >
      <Chip
        label="sample data"
        size="small"
        color="warning"
        variant="outlined"
        tabIndex={0}
        sx={{ height: 22, fontWeight: 600 }}
      />
    </Tooltip>
  );
}
