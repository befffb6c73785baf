import { createRoute, lazyRouteComponent } from "@tanstack/react-router";

import { signalRoute } from "../signal/frame";
import { validateSearch } from "./search";

export const playbackRoute = createRoute({
  getParentRoute: () => signalRoute,
  path: "playback",
  validateSearch,
  component: lazyRouteComponent(() => import("./PlaybackTab"), "PlaybackTab"),
});
