import Box from "@mui/material/Box";
import Typography from "@mui/material/Typography";

import type { Version } from "../queries";

type State = Version["state"];

const MEANS: Record<State, string> = {
  building: "Checked and built.",
  live: "Run every full hour.",
  offline: "Not run, until you bring it live.",
  retired: "Ended for good.",
  rejected: "Not published. Its name is free again.",
};

const AFTER: Record<State, string> = {
  building: "→ live, or rejected",
  live: "⇄ offline, → retired",
  offline: "⇄ live, → retired",
  retired: "the end",
  rejected: "→ building, by another push",
};

const PATH: State[] = ["building", "live", "offline", "retired"];

/** The states a version goes through, and the one that this is in. */
export function StateMachine({ state }: { state: State }) {
  const states: State[] = state === "rejected" ? ["building", "rejected"] : PATH;
  return (
    <Box
      component="ol"
      aria-label="States of a version"
      sx={{
        listStyle: "none",
        m: 0,
        p: 0,
        display: "grid",
        gap: 1,
        gridTemplateColumns: { xs: "1fr 1fr", md: `repeat(${states.length}, 1fr)` },
      }}
    >
      {states.map((each) => {
        const isHere = each === state;
        return (
          <Box
            key={each}
            component="li"
            aria-current={isHere ? "step" : undefined}
            sx={{
              border: 1,
              borderRadius: 1,
              borderColor: isHere ? "primary.main" : "divider",
              boxShadow: isHere ? "inset 0 0 0 1px var(--mui-palette-primary-main)" : "none",
              px: 1.25,
              py: 0.75,
              color: isHere ? "text.primary" : "text.secondary",
            }}
          >
            <Typography component="div" sx={{ fontWeight: isHere ? 700 : 500 }}>
              {each}
              {isHere && " · now"}
            </Typography>
            <Typography variant="caption" component="div">
              {MEANS[each]}
            </Typography>
            <Typography variant="caption" component="div">
              {AFTER[each]}
            </Typography>
          </Box>
        );
      })}
    </Box>
  );
}
