import Typography from "@mui/material/Typography";

import { CopyField } from "../../elements/CopyField";
import { RouterLink } from "../../elements/RouterLink";
import { Section } from "../../elements/Section";
import type { Signal } from "../queries";

/** Where to push, and with what. */
export function Repository({ signal }: { signal: Signal }) {
  return (
    <Section title="Repository" lead="Push main and a version's tag here; the tag publishes.">
      <CopyField name="the repository's address" text={signal.git_url} />
      <Typography variant="body2" sx={{ mt: 1 }}>
        git asks for a password: an API key with scope push, from{" "}
        <RouterLink to="/settings/api-keys">API keys</RouterLink>; the kit hands it over by itself.
        SSH keys that sign pushes stand there too.
      </Typography>
    </Section>
  );
}
