import CheckCircle from "@mui/icons-material/CheckCircle";
import Computer from "@mui/icons-material/Computer";
import RadioButtonUnchecked from "@mui/icons-material/RadioButtonUnchecked";
import Box from "@mui/material/Box";
import CircularProgress from "@mui/material/CircularProgress";
import Stack from "@mui/material/Stack";
import Typography from "@mui/material/Typography";
import type { ReactNode } from "react";

import type { Progress } from "./steps";

const SAID: Record<Progress, string> = {
  done: "done",
  now: "happening now",
  open: "to do",
  here: "on your machine",
};

interface Props {
  number: number;
  title: string;
  progress: Progress;
  isLast?: boolean;
  children: ReactNode;
}

/** One step of a guide, ticked when the platform has seen it. */
export function Step({ number, title, progress, isLast = false, children }: Props) {
  return (
    <Box component="li" sx={{ display: "flex", gap: 1.5, minWidth: 0 }}>
      <Stack sx={{ alignItems: "center", pt: 0.25 }}>
        <Sign of={progress} />
        {!isLast && <Box sx={{ flex: 1, width: "1px", bgcolor: "divider", my: 0.5 }} />}
      </Stack>
      <Box sx={{ flex: 1, minWidth: 0, pb: 2.5, maxWidth: 760 }}>
        <Typography variant="h3" sx={{ mb: 0.5 }}>
          {number}. {title}{" "}
          <Typography component="span" variant="caption" color="textSecondary">
            {SAID[progress]}
          </Typography>
        </Typography>
        <Typography component="div" variant="body2" sx={{ "& > div": { my: 1 } }}>
          {children}
        </Typography>
      </Box>
    </Box>
  );
}

function Sign({ of }: { of: Progress }) {
  if (of === "done") return <CheckCircle color="success" fontSize="small" aria-hidden />;
  if (of === "now") return <CircularProgress size={18} aria-label="Building" />;
  if (of === "here") return <Computer color="disabled" fontSize="small" aria-hidden />;
  return <RadioButtonUnchecked color="disabled" fontSize="small" aria-hidden />;
}
