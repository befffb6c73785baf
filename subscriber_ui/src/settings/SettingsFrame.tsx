import Stack from "@mui/material/Stack";
import { Outlet, useLocation } from "@tanstack/react-router";

import { PageHead } from "../elements/PageHead";
import { RouterButton } from "../elements/RouterLink";

const PAGES = [
  ["/settings/profile", "Profile"],
  ["/settings/security", "Security"],
  ["/settings/api-keys", "API keys"],
  ["/settings/webhooks", "Webhooks"],
  ["/settings/activity", "Activity"],
  ["/settings/data", "Your data"],
] as const;

/** The pages of one's own account, side by side. */
export function SettingsFrame() {
  const at = useLocation({ select: (location) => location.pathname });
  const page = PAGES.find(([path]) => at.startsWith(path));
  return (
    <>
      <PageHead title={page?.[1] ?? "Settings"} />
      <Stack
        component="nav"
        aria-label="Settings"
        direction="row"
        spacing={0.5}
        sx={{ borderBottom: 1, borderColor: "divider", overflowX: "auto", mb: 3, pb: 0.75 }}
      >
        {PAGES.map(([path, label]) => (
          <RouterButton
            key={path}
            to={path}
            color="inherit"
            size="small"
            activeProps={{ "aria-current": "page" }}
            sx={{
              flexShrink: 0,
              color: "text.secondary",
              "&[aria-current=page]": { color: "text.primary", bgcolor: "action.selected" },
            }}
          >
            {label}
          </RouterButton>
        ))}
      </Stack>
      <Outlet />
    </>
  );
}
