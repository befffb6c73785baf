import Box from "@mui/material/Box";
import Container from "@mui/material/Container";
import LinearProgress from "@mui/material/LinearProgress";
import Link from "@mui/material/Link";
import { Outlet, useRouterState } from "@tanstack/react-router";
import { useEffect } from "react";

import { restored } from "../session/session";
import { Footer } from "./Footer";
import { Notices } from "./Notices";
import { TopBar } from "./TopBar";

/** What surrounds every page. */
export function Shell() {
  const isLoading = useRouterState({ select: (state) => state.isLoading });
  useEffect(() => void restored(), []);
  return (
    <Box sx={{ minHeight: "100vh", display: "flex", flexDirection: "column" }}>
      <Link
        href="#content"
        sx={{
          position: "absolute",
          left: -9999,
          zIndex: "tooltip",
          "&:focus": { left: 8, top: 8, bgcolor: "background.paper", p: 1 },
        }}
      >
        Skip to the content
      </Link>
      <TopBar />
      <Box sx={{ height: 2 }}>
        {isLoading && <LinearProgress aria-label="Loading" sx={{ height: 2 }} />}
      </Box>
      <Container
        component="main"
        id="content"
        tabIndex={-1}
        maxWidth="xl"
        sx={{ flex: 1, py: 3, px: { xs: 1.5, sm: 3 }, outline: "none" }}
      >
        <Outlet />
      </Container>
      <Footer />
      <Notices />
    </Box>
  );
}
