import Menu from "@mui/icons-material/Menu";
import AppBar from "@mui/material/AppBar";
import Box from "@mui/material/Box";
import Container from "@mui/material/Container";
import Drawer from "@mui/material/Drawer";
import IconButton from "@mui/material/IconButton";
import Stack from "@mui/material/Stack";
import Toolbar from "@mui/material/Toolbar";
import Typography from "@mui/material/Typography";
import { Link } from "@tanstack/react-router";
import { useState } from "react";

import { RouterButton } from "../elements/RouterLink";
import { useSession } from "../session/session";
import { AccountMenu } from "./AccountMenu";
import { placesFor } from "./places";
import { SchemeSwitch } from "./SchemeSwitch";
import { ZoneSwitch } from "./ZoneSwitch";

export function TopBar() {
  const [isOpen, setOpen] = useState(false);
  return (
    <AppBar
      position="sticky"
      color="inherit"
      variant="elevation"
      elevation={0}
      sx={{ borderBottom: 1, borderColor: "divider", bgcolor: "background.paper" }}
    >
      <Container maxWidth="xl" sx={{ px: { xs: 1.5, sm: 3 } }}>
        <Toolbar disableGutters variant="dense" sx={{ gap: 1, minHeight: 52 }}>
          <IconButton
            aria-label="Open the navigation"
            edge="start"
            onClick={() => setOpen(true)}
            sx={{ display: { md: "none" } }}
          >
            <Menu />
          </IconButton>
          <Brand />
          <Box
            component="nav"
            aria-label="Main"
            sx={{ display: { xs: "none", md: "block" }, ml: 2 }}
          >
            <Places direction="row" />
          </Box>
          <Box sx={{ flex: 1 }} />
          <ZoneSwitch />
          <SchemeSwitch />
          <AccountMenu />
        </Toolbar>
      </Container>
      <Drawer open={isOpen} onClose={() => setOpen(false)}>
        <Box
          component="nav"
          aria-label="Main"
          sx={{ width: 240, p: 2 }}
          onClick={() => setOpen(false)}
        >
          <Places direction="column" />
        </Box>
      </Drawer>
    </AppBar>
  );
}

function Brand() {
  return (
    <Box
      component={Link}
      to="/"
      sx={{
        display: "flex",
        alignItems: "center",
        gap: 1,
        color: "inherit",
        textDecoration: "none",
      }}
    >
      <img src="/assets/signalbox.svg" alt="" width={26} height={26} />
      <Typography component="span" sx={{ fontWeight: 700, fontSize: "1rem" }}>
        Signalbox
      </Typography>
    </Box>
  );
}

function Places({ direction }: { direction: "row" | "column" }) {
  const session = useSession();
  return (
    <Stack direction={direction} spacing={0.5}>
      {placesFor(session).map(({ to, label }) => (
        <RouterButton
          key={to}
          to={to}
          color="inherit"
          activeOptions={{ exact: to === "/" }}
          activeProps={{ "aria-current": "page" }}
          sx={{
            justifyContent: "flex-start",
            color: "text.secondary",
            "&[aria-current=page]": { color: "text.primary", bgcolor: "action.selected" },
          }}
        >
          {label}
        </RouterButton>
      ))}
    </Stack>
  );
}
