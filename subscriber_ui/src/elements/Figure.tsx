import Box from "@mui/material/Box";
import Tooltip from "@mui/material/Tooltip";
import Typography from "@mui/material/Typography";
import type { ReactNode } from "react";

import { NONE } from "../format/numbers";

interface Props {
  label: ReactNode;
  /** As it is read, with its unit; null: there is none, and `reason` says why. */
  value: string | null;
  reason?: string | null;
  /** Beneath: an interval, a count, a comparison. */
  note?: ReactNode;
}

/** One number that matters. */
export function Figure({ label, value, reason, note }: Props) {
  return (
    <Box sx={{ minWidth: 110 }}>
      <Typography variant="caption" color="textSecondary" component="div">
        {label}
      </Typography>
      <Typography
        component="div"
        sx={{ fontSize: "1.25rem", fontWeight: 620, fontVariantNumeric: "tabular-nums" }}
      >
        {value ?? <Absent reason={reason} />}
      </Typography>
      {note !== undefined && (
        <Typography variant="caption" color="textSecondary" component="div">
          {note}
        </Typography>
      )}
    </Box>
  );
}

/** A value that is not there; why, on hover and focus. */
export function Absent({ reason }: { reason?: string | null }) {
  const why = reason ?? "There is no value yet.";
  return (
    <Tooltip title={why}>
      <Box
        component="span"
        tabIndex={0}
        role="note"
        aria-label={`none: ${why}`}
        sx={{ color: "text.secondary" }}
      >
        {NONE}
      </Box>
    </Tooltip>
  );
}
