import CheckCircle from "@mui/icons-material/CheckCircleOutlined";
import HelpOutline from "@mui/icons-material/HelpOutlineOutlined";
import WarningAmber from "@mui/icons-material/WarningAmberOutlined";
import Box from "@mui/material/Box";
import Typography from "@mui/material/Typography";
import { visuallyHidden } from "@mui/utils";

import type { Finding, Tone } from "./verdict";

const TONES: Record<
  Tone,
  { said: string; Icon: typeof CheckCircle; color: "success" | "error" | "disabled" }
> = {
  good: { said: "Speaks for it:", Icon: CheckCircle, color: "success" },
  bad: { said: "Speaks against it:", Icon: WarningAmber, color: "error" },
  open: { said: "Open:", Icon: HelpOutline, color: "disabled" },
};

/** Sentences about a record, each with what it says by sign and word. */
export function Findings({ findings }: { findings: Finding[] }) {
  return (
    <Box component="ul" sx={{ listStyle: "none", p: 0, m: 0, display: "grid", gap: 1.25 }}>
      {findings.map(({ tone, text, detail }) => {
        const { said, Icon, color } = TONES[tone];
        return (
          <Box component="li" key={text} sx={{ display: "flex", gap: 1.25 }}>
            <Icon fontSize="small" color={color} aria-hidden sx={{ mt: 0.25 }} />
            <Box sx={{ minWidth: 0 }}>
              <Typography component="div" sx={{ fontWeight: 550, lineHeight: 1.4 }}>
                <Box component="span" sx={visuallyHidden}>
                  {said}{" "}
                </Box>
                {text}
              </Typography>
              {detail !== undefined && (
                <Typography variant="body2" color="textSecondary">
                  {detail}
                </Typography>
              )}
            </Box>
          </Box>
        );
      })}
    </Box>
  );
}
