import { createRoute, lazyRouteComponent } from "@tanstack/react-router";

import { signalRoute } from "../signal/frame";

export const playbackRoute = createRoute({
  getParentRoute: () => signalRoute,
  path: "playback",
  component: lazyRouteComponent(() => import("./PlaybackTab"), "PlaybackTab"),
});
