import { createRoute, lazyRouteComponent } from "@tanstack/react-router";

import { rootRoute } from "../root";
import { signedIn } from "../session/guards";

const frameRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: "/provider",
  beforeLoad: signedIn,
  component: lazyRouteComponent(() => import("./ProviderFrame"), "ProviderFrame"),
});

const deskRoute = createRoute({
  getParentRoute: () => frameRoute,
  path: "/",
  component: lazyRouteComponent(() => import("./DeskPage"), "DeskPage"),
});

const newRoute = createRoute({
  getParentRoute: () => frameRoute,
  path: "new",
  component: lazyRouteComponent(() => import("./NewSignalPage"), "NewSignalPage"),
});

const ownSignalRoute = createRoute({
  getParentRoute: () => frameRoute,
  path: "signals/$name",
  component: lazyRouteComponent(() => import("./OwnSignalPage"), "OwnSignalPage"),
});

const revenueRoute = createRoute({
  getParentRoute: () => frameRoute,
  path: "revenue",
  component: lazyRouteComponent(() => import("./RevenuePage"), "RevenuePage"),
});

export const providerRoute = frameRoute.addChildren([
  deskRoute,
  newRoute,
  ownSignalRoute,
  revenueRoute,
]);
