import { createRouter } from "@tanstack/react-router";

import { newQueryClient } from "./api/queries";
import { billingRoutes } from "./billing/routes";
import { catalogueRoutes } from "./catalogue/routes";
import { entryRoutes } from "./entry/routes";
import { forecastsRoutes } from "./forecasts/routes";
import { operatorRoute } from "./operator/routes";
import { playbackRoute } from "./playback/routes";
import { providerRoute } from "./provider/routes";
import { rootRoute } from "./root";
import { settingsRoute } from "./settings/routes";
import { RouteError } from "./shell/RouteError";
import { signalRoute } from "./signal/frame";
import { signalTabs } from "./signal/routes";

export const queryClient = newQueryClient();

export const router = createRouter({
  routeTree: rootRoute.addChildren([
    ...catalogueRoutes,
    signalRoute.addChildren([...signalTabs, playbackRoute]),
    ...entryRoutes,
    ...forecastsRoutes,
    ...billingRoutes,
    settingsRoute,
    providerRoute,
    operatorRoute,
  ]),
  context: { queryClient },
  defaultErrorComponent: RouteError,
  defaultPreload: "intent",
  scrollRestoration: true,
});

declare module "@tanstack/react-router" {
  interface Register {
    router: typeof router;
  }
}
