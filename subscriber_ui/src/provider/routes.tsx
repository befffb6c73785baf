import { createRoute, lazyRouteComponent } from "@tanstack/react-router";

import { rootRoute } from "../root";
import { signedIn } from "../session/guards";
import { readRunSearch } from "./runs/search";

const frameRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: "/provider",
  beforeLoad: signedIn,
  component: lazyRouteComponent(() => import("./ProviderFrame"), "ProviderFrame"),
});

const deskRoute = createRoute({
  getParentRoute: () => frameRoute,
  path: "/",
  component: lazyRouteComponent(() => import("./desk/DeskPage"), "DeskPage"),
});

const newRoute = createRoute({
  getParentRoute: () => frameRoute,
  path: "new",
  component: lazyRouteComponent(() => import("./NewSignalPage"), "NewSignalPage"),
});

const revenueRoute = createRoute({
  getParentRoute: () => frameRoute,
  path: "revenue",
  component: lazyRouteComponent(() => import("./revenue/RevenuePage"), "RevenuePage"),
});

const sourcesRoute = createRoute({
  getParentRoute: () => frameRoute,
  path: "sources",
  component: lazyRouteComponent(() => import("./sources/SourcesPage"), "SourcesPage"),
});

export const ownSignalRoute = createRoute({
  getParentRoute: () => frameRoute,
  path: "signals/$name",
  component: lazyRouteComponent(() => import("./OwnSignalFrame"), "OwnSignalFrame"),
});

export const versionsRoute = createRoute({
  getParentRoute: () => ownSignalRoute,
  path: "/",
  validateSearch: readVersion,
  component: lazyRouteComponent(() => import("./versions/VersionsTab"), "VersionsTab"),
});

export const runsRoute = createRoute({
  getParentRoute: () => ownSignalRoute,
  path: "runs",
  validateSearch: readRunSearch,
  component: lazyRouteComponent(() => import("./runs/RunsTab"), "RunsTab"),
});

export const leaksRoute = createRoute({
  getParentRoute: () => ownSignalRoute,
  path: "leaks",
  validateSearch: readVersion,
  component: lazyRouteComponent(() => import("./leaks/LeaksTab"), "LeaksTab"),
});

const offerRoute = createRoute({
  getParentRoute: () => ownSignalRoute,
  path: "offer",
  component: lazyRouteComponent(() => import("./offer/OfferTab"), "OfferTab"),
});

const listingRoute = createRoute({
  getParentRoute: () => ownSignalRoute,
  path: "listing",
  component: lazyRouteComponent(() => import("./listing/ListingTab"), "ListingTab"),
});

export const providerRoute = frameRoute.addChildren([
  deskRoute,
  newRoute,
  revenueRoute,
  sourcesRoute,
  ownSignalRoute.addChildren([versionsRoute, runsRoute, leaksRoute, offerRoute, listingRoute]),
]);

function readVersion(search: Record<string, unknown>): { version?: string } {
  return typeof search["version"] === "string" ? { version: search["version"] } : {};
}
