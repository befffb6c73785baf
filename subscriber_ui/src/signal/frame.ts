import { createRoute, lazyRouteComponent } from "@tanstack/react-router";

import { rootRoute } from "../root";

/** A signal's page; its tabs are routes below it, the playback's in an area of its own. */
export const signalRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: "/signals/$provider/$name",
  component: lazyRouteComponent(() => import("./SignalFrame"), "SignalFrame"),
});
