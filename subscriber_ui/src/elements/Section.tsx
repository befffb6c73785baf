import Box from "@mui/material/Box";
import Paper from "@mui/material/Paper";
import Stack from "@mui/material/Stack";
import Typography from "@mui/material/Typography";
import { type ReactNode, useId } from "react";

interface Props {
  title: string;
  lead?: ReactNode;
  actions?: ReactNode;
  children: ReactNode;
  /** Tables reach the panel's edges. */
  flush?: boolean;
}

/** A titled panel; a region by its title for those who do not see it. */
export function Section({ title, lead, actions, children, flush = false }: Props) {
  const id = useId();
  return (
    <Paper component="section" aria-labelledby={id} sx={{ mb: 3, overflow: "hidden" }}>
      <Stack
        direction="row"
        useFlexGap
        spacing={1}
        sx={{ px: 2, pt: 1.75, pb: 1.25, justifyContent: "space-between", flexWrap: "wrap" }}
      >
        <Box sx={{ minWidth: 0 }}>
          <Typography id={id} variant="h2">
            {title}
          </Typography>
          {lead !== undefined && (
            <Typography variant="body2" color="textSecondary" component="div">
              {lead}
            </Typography>
          )}
        </Box>
        {actions}
      </Stack>
      <Box sx={flush ? { pb: 0.5 } : { px: 2, pb: 2 }}>{children}</Box>
    </Paper>
  );
}
