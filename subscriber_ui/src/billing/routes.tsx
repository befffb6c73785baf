import { createRoute, lazyRouteComponent } from "@tanstack/react-router";

import { rootRoute } from "../root";
import { signedIn } from "../session/guards";

const subscriptionsRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: "/subscriptions",
  beforeLoad: signedIn,
  component: lazyRouteComponent(() => import("./SubscriptionsPage"), "SubscriptionsPage"),
});

const invoicesRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: "/invoices",
  beforeLoad: signedIn,
  component: lazyRouteComponent(() => import("./InvoicesPage"), "InvoicesPage"),
});

const invoiceRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: "/invoices/$number",
  beforeLoad: signedIn,
  component: lazyRouteComponent(() => import("./InvoicePage"), "InvoicePage"),
});

export const billingRoutes = [subscriptionsRoute, invoicesRoute, invoiceRoute];
