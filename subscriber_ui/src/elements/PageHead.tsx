import Box from "@mui/material/Box";
import Stack from "@mui/material/Stack";
import Typography from "@mui/material/Typography";
import { type ReactNode, useEffect } from "react";

interface Props {
  title: string;
  /** One line under the title: what this page is for. */
  lead?: ReactNode;
  actions?: ReactNode;
}

/** A page's only h1; also names the browser's tab. */
export function PageHead({ title, lead, actions }: Props) {
  useEffect(() => {
    document.title = `${title} · Signalbox`;
  }, [title]);
  return (
    <Stack
      direction={{ xs: "column", sm: "row" }}
      spacing={2}
      sx={{ mb: 3, justifyContent: "space-between", alignItems: { sm: "flex-start" } }}
    >
      <Box sx={{ minWidth: 0 }}>
        <Typography variant="h1" sx={{ overflowWrap: "anywhere" }}>
          {title}
        </Typography>
        {lead !== undefined && (
          <Typography color="textSecondary" component="div" sx={{ mt: 0.5, maxWidth: 760 }}>
            {lead}
          </Typography>
        )}
      </Box>
      {actions !== undefined && (
        <Stack direction="row" spacing={1} useFlexGap sx={{ flexWrap: "wrap", flexShrink: 0 }}>
          {actions}
        </Stack>
      )}
    </Stack>
  );
}
