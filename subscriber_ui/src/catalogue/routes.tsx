import { createRoute, lazyRouteComponent } from "@tanstack/react-router";

import { rootRoute } from "../root";
import { type CompareSearch, names, readSearch } from "./search";

export const catalogueRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: "/",
  validateSearch: readSearch,
  component: lazyRouteComponent(() => import("./CataloguePage"), "CataloguePage"),
});

export const compareRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: "/compare",
  validateSearch: (raw: Record<string, unknown>): CompareSearch => ({
    signals: names(raw["signals"]).join(",") || undefined,
    against: raw["against"] === "mine" ? "mine" : undefined,
  }),
  component: lazyRouteComponent(() => import("./ComparePage"), "ComparePage"),
});

const definitionsRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: "/definitions",
  component: lazyRouteComponent(() => import("./DefinitionsPage"), "DefinitionsPage"),
});

export const catalogueRoutes = [catalogueRoute, compareRoute, definitionsRoute];
