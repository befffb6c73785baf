import { createRoute, lazyRouteComponent } from "@tanstack/react-router";

import { signalRoute } from "./frame";

const overviewRoute = createRoute({
  getParentRoute: () => signalRoute,
  path: "/",
  component: lazyRouteComponent(() => import("./OverviewTab"), "OverviewTab"),
});

const performanceRoute = createRoute({
  getParentRoute: () => signalRoute,
  path: "performance",
  component: lazyRouteComponent(() => import("./PerformanceTab"), "PerformanceTab"),
});

const recordRoute = createRoute({
  getParentRoute: () => signalRoute,
  path: "record",
  component: lazyRouteComponent(() => import("./RecordTab"), "RecordTab"),
});

const versionsRoute = createRoute({
  getParentRoute: () => signalRoute,
  path: "versions",
  component: lazyRouteComponent(() => import("./VersionsTab"), "VersionsTab"),
});

const proofRoute = createRoute({
  getParentRoute: () => signalRoute,
  path: "proof",
  component: lazyRouteComponent(() => import("./ProofTab"), "ProofTab"),
});

export const signalTabs = [overviewRoute, performanceRoute, recordRoute, versionsRoute, proofRoute];
