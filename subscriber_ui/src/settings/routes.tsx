import { createRoute, lazyRouteComponent } from "@tanstack/react-router";

import { rootRoute } from "../root";
import { signedIn } from "../session/guards";

const frameRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: "/settings",
  beforeLoad: signedIn,
  component: lazyRouteComponent(() => import("./SettingsFrame"), "SettingsFrame"),
});

const profileRoute = createRoute({
  getParentRoute: () => frameRoute,
  path: "profile",
  component: lazyRouteComponent(() => import("./ProfilePage"), "ProfilePage"),
});

const securityRoute = createRoute({
  getParentRoute: () => frameRoute,
  path: "security",
  component: lazyRouteComponent(() => import("./SecurityPage"), "SecurityPage"),
});

const apiKeysRoute = createRoute({
  getParentRoute: () => frameRoute,
  path: "api-keys",
  component: lazyRouteComponent(() => import("./ApiKeysPage"), "ApiKeysPage"),
});

const webhooksRoute = createRoute({
  getParentRoute: () => frameRoute,
  path: "webhooks",
  component: lazyRouteComponent(() => import("./WebhooksPage"), "WebhooksPage"),
});

const activityRoute = createRoute({
  getParentRoute: () => frameRoute,
  path: "activity",
  validateSearch: ({ action }: Record<string, unknown>): { action?: string } =>
    typeof action === "string" && action !== "" ? { action } : {},
  component: lazyRouteComponent(() => import("./ActivityPage"), "ActivityPage"),
});

const dataRoute = createRoute({
  getParentRoute: () => frameRoute,
  path: "data",
  component: lazyRouteComponent(() => import("./DataPage"), "DataPage"),
});

export const settingsRoute = frameRoute.addChildren([
  profileRoute,
  securityRoute,
  apiKeysRoute,
  webhooksRoute,
  activityRoute,
  dataRoute,
]);
