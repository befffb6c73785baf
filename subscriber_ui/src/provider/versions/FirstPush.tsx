import Box from "@mui/material/Box";
import LinearProgress from "@mui/material/LinearProgress";
import Typography from "@mui/material/Typography";

import { CopyField } from "../../elements/CopyField";
import { RouterLink } from "../../elements/RouterLink";
import { Section } from "../../elements/Section";

/** A signal that nothing was pushed to: how, and that the page waits for it. */
export function FirstPush({ name }: { name: string }) {
  return (
    <Section title="Publish log" lead="Each change of a version's state, as it happens.">
      <Typography variant="h3" component="p" sx={{ mb: 1 }}>
        Nothing was pushed yet
      </Typography>
      <Box sx={{ maxWidth: 760 }}>
        <CopyField
          name="the commands of the first push"
          text={`signalbox init ${name}\ncd ${name}\nsignalbox test\nsignalbox push v0.1.0`}
        />
        <Typography variant="body2" color="textSecondary" sx={{ my: 1 }}>
          The push appears here while it is built. Each step, keys and plain git included, stands in
          the <RouterLink to="/provider">guide</RouterLink>, until your first signal is live.
        </Typography>
        <LinearProgress aria-label="Waiting for the first push" />
      </Box>
    </Section>
  );
}
