import Alert from "@mui/material/Alert";
import AlertTitle from "@mui/material/AlertTitle";
import Box from "@mui/material/Box";
import { Outlet } from "@tanstack/react-router";

import { ProblemError } from "../api/problem";
import { RouterButton, RouterLink } from "../elements/RouterLink";
import { useHealth } from "./health";

const PAGES = [
  { to: "/operator", label: "Overview" },
  { to: "/operator/slots", label: "Slots" },
  { to: "/operator/feeds", label: "Feeds" },
  { to: "/operator/users", label: "Users" },
  { to: "/operator/audit", label: "Audit log" },
  { to: "/operator/business", label: "Business" },
  { to: "/operator/outbox", label: "Outbox" },
] as const;

/** The pages of the desk side by side; nothing of them without the second factor it asks for. */
export function OperatorFrame() {
  const { error } = useHealth();
  return (
    <>
      <Box
        component="nav"
        aria-label="Operator"
        sx={{ display: "flex", overflowX: "auto", borderBottom: 1, borderColor: "divider", mb: 3 }}
      >
        {PAGES.map(({ to, label }) => (
          <RouterLink
            key={to}
            to={to}
            activeOptions={{ exact: true, includeSearch: false }}
            activeProps={{ "aria-current": "page" }}
            underline="none"
            color="textSecondary"
            sx={{
              px: 1.5,
              py: 1,
              fontWeight: 600,
              fontSize: "0.85rem",
              whiteSpace: "nowrap",
              borderBottom: 2,
              borderColor: "transparent",
              "&:hover": { color: "text.primary" },
              "&:focus-visible": { outlineOffset: -2 },
              "&[aria-current=page]": { color: "text.primary", borderColor: "primary.main" },
            }}
          >
            {label}
          </RouterLink>
        ))}
      </Box>
      {needsSecondFactor(error) ? <SecondFactorNeeded detail={error.message} /> : <Outlet />}
    </>
  );
}

function needsSecondFactor(error: Error | null): error is ProblemError {
  return error instanceof ProblemError && error.code === "totp_required_for_operators";
}

function SecondFactorNeeded({ detail }: { detail: string }) {
  return (
    <Alert
      severity="warning"
      variant="outlined"
      action={
        <RouterButton to="/settings/security" color="inherit" size="small">
          Set it up
        </RouterButton>
      }
    >
      <AlertTitle>The desk asks for a second factor</AlertTitle>
      Set one up under Settings, Security; then log in again with its code. {detail}
    </Alert>
  );
}
