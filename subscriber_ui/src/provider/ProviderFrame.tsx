import Box from "@mui/material/Box";
import { useQueryClient } from "@tanstack/react-query";
import { Outlet } from "@tanstack/react-router";

import { RouterButton } from "../elements/RouterLink";
import { useEvents } from "../live/events";
import { useHandle } from "./handle";
import { ALL_OF_PROVIDER } from "./queries";

const PLACES = [
  { to: "/provider", label: "My signals" },
  { to: "/provider/new", label: "New signal" },
  { to: "/provider/revenue", label: "Revenue" },
  { to: "/provider/sources", label: "Data sources" },
] as const;

/** The provider's pages: what happens to a signal of theirs is asked for anew as it is told. */
export function ProviderFrame() {
  const queries = useQueryClient();
  const handle = useHandle();
  useEvents((event) => {
    if (event.data.signal.startsWith(`${handle}/`)) {
      void queries.invalidateQueries({ queryKey: ALL_OF_PROVIDER });
    }
  });
  return (
    <>
      <Box
        component="nav"
        aria-label="Provider"
        sx={{ display: "flex", overflowX: "auto", gap: 0.5, mb: 2, ml: -1 }}
      >
        {PLACES.map(({ to, label }) => (
          <RouterButton
            key={to}
            to={to}
            size="small"
            color="inherit"
            activeOptions={{ exact: to === "/provider", includeSearch: false }}
            activeProps={{ "aria-current": "page" }}
            sx={{
              color: "text.secondary",
              whiteSpace: "nowrap",
              "&[aria-current=page]": { color: "text.primary", bgcolor: "action.selected" },
            }}
          >
            {label}
          </RouterButton>
        ))}
      </Box>
      <Outlet />
    </>
  );
}
