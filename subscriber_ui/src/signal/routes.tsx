import { createRoute, lazyRouteComponent } from "@tanstack/react-router";

import { signalRoute } from "./frame";
import { type Window, WINDOWS } from "./queries";

const overviewRoute = createRoute({
  getParentRoute: () => signalRoute,
  path: "/",
  component: lazyRouteComponent(() => import("./OverviewTab"), "OverviewTab"),
});

interface PerformanceSearch {
  window?: Window;
  version?: string;
}

const performanceRoute = createRoute({
  getParentRoute: () => signalRoute,
  path: "performance",
  validateSearch: (raw: Record<string, unknown>): PerformanceSearch => ({
    window: WINDOWS.find((each) => each === raw["window"]),
    version:
      typeof raw["version"] === "string" && raw["version"].length <= 40
        ? raw["version"]
        : undefined,
  }),
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
