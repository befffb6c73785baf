import Box from "@mui/material/Box";
import Paper from "@mui/material/Paper";
import Stack from "@mui/material/Stack";
import type { ReactNode } from "react";

import { PageHead } from "../elements/PageHead";

interface Props {
  title: string;
  lead?: ReactNode;
  children: ReactNode;
  /** Beneath the card: the ways to the other forms. */
  others?: ReactNode;
  onSubmit?: () => void;
}

/** The narrow panel in which people get in. */
export function EntryCard({ title, lead, children, others, onSubmit }: Props) {
  return (
    <Box sx={{ maxWidth: 420, mx: "auto", mt: { xs: 1, sm: 5 } }}>
      <Paper sx={{ p: { xs: 2.5, sm: 4 } }}>
        <PageHead title={title} lead={lead} />
        <Stack
          component={onSubmit === undefined ? "div" : "form"}
          spacing={2.25}
          onSubmit={(event: React.SyntheticEvent) => {
            event.preventDefault();
            onSubmit?.();
          }}
        >
          {children}
        </Stack>
      </Paper>
      <Stack
        direction="row"
        useFlexGap
        spacing={2}
        sx={{ mt: 2, justifyContent: "center", flexWrap: "wrap", fontSize: "0.85rem" }}
      >
        {others}
      </Stack>
    </Box>
  );
}
