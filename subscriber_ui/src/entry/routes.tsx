import { createRoute, lazyRouteComponent } from "@tanstack/react-router";

import { rootRoute } from "../root";

interface Next {
  next?: string;
}

/** Where to go on afterwards; only addresses of ours. */
function readNext(search: Record<string, unknown>): Next {
  const next = search["next"];
  return typeof next === "string" && /^\/(?![/\\])/.test(next) ? { next } : {};
}

const loginRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: "/login",
  validateSearch: readNext,
  component: lazyRouteComponent(() => import("./LoginPage"), "LoginPage"),
});

const registerRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: "/register",
  validateSearch: readNext,
  component: lazyRouteComponent(() => import("./RegisterPage"), "RegisterPage"),
});

const forgotRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: "/forgot",
  component: lazyRouteComponent(() => import("./ForgotPage"), "ForgotPage"),
});

const resetRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: "/reset",
  component: lazyRouteComponent(() => import("./ResetPage"), "ResetPage"),
});

export const entryRoutes = [loginRoute, registerRoute, forgotRoute, resetRoute];
