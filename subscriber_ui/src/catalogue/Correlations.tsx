import Box from "@mui/material/Box";
import Typography from "@mui/material/Typography";

import type { Schemas } from "../api/client";
import { Absent } from "../elements/Figure";
import { count, fixed } from "../format/numbers";

interface Props {
  pairs: Schemas["Correlation"][];
  hoursAtLeast: number;
}

/** Each pair once, with a bar from -1 to 1. */
export function Correlations({ pairs, hoursAtLeast }: Props) {
  return (
    <>
      <Box component="ul" sx={{ listStyle: "none", p: 0, m: 0, display: "grid", gap: 1.25 }}>
        {pairs.map((pair) => (
          <Box
            component="li"
            key={`${pair.a} ${pair.b}`}
            sx={{
              display: "grid",
              gap: { xs: 0.5, sm: 2 },
              alignItems: "center",
              gridTemplateColumns: { xs: "1fr", sm: "minmax(200px, 1fr) 1fr 180px" },
            }}
          >
            <Typography variant="body2" sx={{ overflowWrap: "anywhere" }}>
              {pair.a} and {pair.b}
            </Typography>
            <Bar value={pair.correlation} />
            <Typography variant="body2" sx={{ fontVariantNumeric: "tabular-nums" }}>
              {pair.correlation === null ? (
                <Absent reason={pair.reason} />
              ) : (
                <strong>{fixed(pair.correlation, 2)}</strong>
              )}{" "}
              <Box component="span" sx={{ color: "text.secondary" }}>
                over {count(pair.hours)} h
              </Box>
            </Typography>
          </Box>
        ))}
      </Box>
      <Typography variant="caption" color="textSecondary" component="p" sx={{ mt: 1.5 }}>
        Below {hoursAtLeast} hours in common there is no number.
      </Typography>
    </>
  );
}

function Bar({ value }: { value: number | null }) {
  const share = value === null ? 0 : Math.abs(value) * 50;
  return (
    <Box
      aria-hidden
      sx={{ position: "relative", height: 10, borderRadius: 1, bgcolor: "action.hover" }}
    >
      <Box
        sx={{
          position: "absolute",
          top: 0,
          bottom: 0,
          width: `${share}%`,
          left: value !== null && value < 0 ? `${50 - share}%` : "50%",
          bgcolor: "var(--mui-palette-line)",
          borderRadius: 1,
        }}
      />
      <Box
        sx={{
          position: "absolute",
          left: "50%",
          top: -3,
          bottom: -3,
          width: "1px",
          bgcolor: "text.secondary",
        }}
      />
    </Box>
  );
}
