import { ProvenanceBadge } from "../../elements/ProvenanceBadge";
import { StateBadge } from "../../elements/StateBadge";
import type { Proven } from "../queries";

/** What a slot came to, as far as it is proven. */
export function Outcome({ of }: { of: Proven }) {
  return of === "pending" ? <StateBadge state="pending" /> : <ProvenanceBadge of={of} />;
}
