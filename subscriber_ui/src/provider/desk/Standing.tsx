import Alert from "@mui/material/Alert";

import { RouterButton } from "../../elements/RouterLink";
import type { Me } from "../../session/session";

/** What an account lacks before it may create and list signals. */
export function Standing({ of }: { of: Me["standing"] }) {
  if (of === "good") return null;
  return (
    <Alert
      severity="warning"
      variant="outlined"
      sx={{ mb: 2 }}
      action={
        <RouterButton to="/settings/profile" color="inherit" size="small">
          Open my profile
        </RouterButton>
      }
    >
      {of === "email_unconfirmed"
        ? "Confirm your e-mail address first: without it no signal can be created or listed."
        : "Accept the terms of service first: without it no signal can be created or listed."}
    </Alert>
  );
}
