import { createRoute, lazyRouteComponent } from "@tanstack/react-router";

import { rootRoute } from "../root";
import { signedIn } from "../session/guards";

const forecastsRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: "/forecasts",
  beforeLoad: signedIn,
  component: lazyRouteComponent(() => import("./ForecastsPage"), "ForecastsPage"),
});

export const forecastsRoutes = [forecastsRoute];
