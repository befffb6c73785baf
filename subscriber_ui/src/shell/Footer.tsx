import Box from "@mui/material/Box";
import Container from "@mui/material/Container";
import Link from "@mui/material/Link";
import Stack from "@mui/material/Stack";
import Typography from "@mui/material/Typography";

import { RouterLink } from "../elements/RouterLink";

export function Footer() {
  return (
    <Box component="footer" sx={{ borderTop: 1, borderColor: "divider", py: 3, mt: 4 }}>
      <Container maxWidth="xl" sx={{ px: { xs: 1.5, sm: 3 } }}>
        <Stack direction="row" useFlexGap spacing={2.5} sx={{ flexWrap: "wrap", mb: 1.5 }}>
          <RouterLink to="/definitions" variant="body2">
            Definitions of every metric
          </RouterLink>
          <Link href="/verify/" variant="body2">
            Verify the log yourself
          </Link>
          <Link href="/schema" variant="body2">
            API
          </Link>
        </Stack>
        <Typography variant="caption" color="textSecondary" component="p" sx={{ maxWidth: 860 }}>
          Forecasts are not investment advice. Replayed and backfilled numbers are hypothetical:
          they were computed after the fact and are never part of a live record. Past performance
          does not tell the future.
        </Typography>
      </Container>
    </Box>
  );
}
