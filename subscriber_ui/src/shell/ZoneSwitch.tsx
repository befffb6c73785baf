import Button from "@mui/material/Button";
import Tooltip from "@mui/material/Tooltip";

import { chooseZone, useZone, zoneName } from "../format/instants";

/** The zone of every instant shown. */
export function ZoneSwitch() {
  const zone = useZone();
  const other = zone === "UTC" ? "local" : "UTC";
  return (
    <Tooltip title={`Instants are shown in ${zoneName(zone)}. Show them in ${zoneName(other)}.`}>
      <Button
        size="small"
        color="inherit"
        aria-label={`Time zone: ${zone}`}
        onClick={() => chooseZone(other)}
        sx={{ minWidth: 0, color: "text.secondary" }}
      >
        {zone === "UTC" ? "UTC" : "Local"}
      </Button>
    </Tooltip>
  );
}
