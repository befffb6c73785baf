import { createRoute, lazyRouteComponent } from "@tanstack/react-router";

import { rootRoute } from "../root";
import { ownAddress } from "./next";

interface Next {
  next?: string;
}

function readNext(search: Record<string, unknown>): Next {
  const next = ownAddress(search["next"]);
  return next === undefined ? {} : { next };
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
