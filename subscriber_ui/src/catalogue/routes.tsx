import { createRoute, lazyRouteComponent } from "@tanstack/react-router";

import { rootRoute } from "../root";

const catalogueRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: "/",
  component: lazyRouteComponent(() => import("./CataloguePage"), "CataloguePage"),
});

const compareRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: "/compare",
  component: lazyRouteComponent(() => import("./ComparePage"), "ComparePage"),
});

const definitionsRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: "/definitions",
  component: lazyRouteComponent(() => import("./DefinitionsPage"), "DefinitionsPage"),
});

export const catalogueRoutes = [catalogueRoute, compareRoute, definitionsRoute];
