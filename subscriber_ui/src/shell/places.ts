import type { Session } from "../session/session";

export interface Place {
  to: "/" | "/forecasts" | "/subscriptions" | "/provider" | "/operator";
  label: string;
}

const FOR_ALL: Place[] = [{ to: "/", label: "Signals" }];
const FOR_PEOPLE: Place[] = [
  { to: "/forecasts", label: "My forecasts" },
  { to: "/subscriptions", label: "Subscriptions" },
  { to: "/provider", label: "Provider" },
];
const FOR_OPERATORS: Place[] = [{ to: "/operator", label: "Operator" }];

/** Where the navigation leads somebody. */
export function placesFor(session: Session): Place[] {
  if (session.state !== "in") return FOR_ALL;
  const isOperator = session.me.role === "operator";
  return [...FOR_ALL, ...FOR_PEOPLE, ...(isOperator ? FOR_OPERATORS : [])];
}
