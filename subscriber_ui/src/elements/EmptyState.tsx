import Box from "@mui/material/Box";
import Typography from "@mui/material/Typography";
import type { ReactNode } from "react";

interface Props {
  title: string;
  /** What to do next, in words. */
  children?: ReactNode;
  /** The button or link that does it. */
  action?: ReactNode;
}

/** Nothing to show, and what the next step is. */
export function EmptyState({ title, children, action }: Props) {
  return (
    <Box sx={{ py: 5, px: 2, textAlign: "center" }}>
      <Typography variant="h3" component="p">
        {title}
      </Typography>
      {children !== undefined && (
        <Typography
          color="textSecondary"
          component="div"
          sx={{ mt: 0.5, mx: "auto", maxWidth: 520 }}
        >
          {children}
        </Typography>
      )}
      {action !== undefined && <Box sx={{ mt: 2 }}>{action}</Box>}
    </Box>
  );
}
