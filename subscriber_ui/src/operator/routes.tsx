import { createRoute, lazyRouteComponent } from "@tanstack/react-router";

import { rootRoute } from "../root";
import { operatorsOnly } from "../session/guards";
import { auditSearch, businessSearch, slotsSearch, usersSearch } from "./search";

const frameRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: "/operator",
  beforeLoad: operatorsOnly,
  component: lazyRouteComponent(() => import("./OperatorFrame"), "OperatorFrame"),
});

const overviewRoute = createRoute({
  getParentRoute: () => frameRoute,
  path: "/",
  component: lazyRouteComponent(() => import("./OverviewPage"), "OverviewPage"),
});

const slotsRoute = createRoute({
  getParentRoute: () => frameRoute,
  path: "slots",
  validateSearch: slotsSearch,
  component: lazyRouteComponent(() => import("./SlotsPage"), "SlotsPage"),
});

const feedsRoute = createRoute({
  getParentRoute: () => frameRoute,
  path: "feeds",
  component: lazyRouteComponent(() => import("./FeedsPage"), "FeedsPage"),
});

const usersRoute = createRoute({
  getParentRoute: () => frameRoute,
  path: "users",
  validateSearch: usersSearch,
  component: lazyRouteComponent(() => import("./UsersPage"), "UsersPage"),
});

const auditRoute = createRoute({
  getParentRoute: () => frameRoute,
  path: "audit",
  validateSearch: auditSearch,
  component: lazyRouteComponent(() => import("./AuditPage"), "AuditPage"),
});

const businessRoute = createRoute({
  getParentRoute: () => frameRoute,
  path: "business",
  validateSearch: businessSearch,
  component: lazyRouteComponent(() => import("./BusinessPage"), "BusinessPage"),
});

const outboxRoute = createRoute({
  getParentRoute: () => frameRoute,
  path: "outbox",
  component: lazyRouteComponent(() => import("./OutboxPage"), "OutboxPage"),
});

export const operatorRoute = frameRoute.addChildren([
  overviewRoute,
  slotsRoute,
  feedsRoute,
  usersRoute,
  auditRoute,
  businessRoute,
  outboxRoute,
]);
