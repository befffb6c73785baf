import Grid from "@mui/material/Grid";
import Paper from "@mui/material/Paper";
import Stack from "@mui/material/Stack";
import Typography from "@mui/material/Typography";

import { StateBadge } from "../elements/StateBadge";
import type { Health } from "./health";

const ROOMS = [
  { name: "Log", of: (health: Health) => health.log },
  { name: "Ticks", of: (health: Health) => health.ticks },
  { name: "Letters", of: (health: Health) => health.letters },
];

/** The state of each room, and what to do where something is wrong, in the API's words. */
export function Rooms({ health }: { health: Health }) {
  return (
    <Grid container spacing={2} sx={{ mb: 3 }} component="section" aria-label="Rooms">
      {ROOMS.map(({ name, of }) => (
        <Grid key={name} size={{ xs: 12, md: 4 }}>
          <Paper sx={{ p: 2, height: "100%", minHeight: 92 }}>
            <Stack direction="row" sx={{ justifyContent: "space-between", mb: 0.5 }}>
              <Typography variant="h2">{name}</Typography>
              <StateBadge state={of(health).state} />
            </Stack>
            <Typography variant="body2" color="textSecondary" sx={{ overflowWrap: "anywhere" }}>
              {of(health).detail}
            </Typography>
          </Paper>
        </Grid>
      ))}
    </Grid>
  );
}
