import { useQuery } from "@tanstack/react-query";

import { Awaited, Lines } from "../../elements/Awaited";
import { EmptyState } from "../../elements/EmptyState";
import { Section } from "../../elements/Section";
import { useHandle } from "../handle";
import { offers } from "../queries";
import { ownSignalRoute } from "../routes";
import { NewOffer } from "./NewOffer";
import { PriceHistory } from "./PriceHistory";

/** What the signal costs, did cost, and will. */
export function OfferTab() {
  const { name } = ownSignalRoute.useParams();
  const path = { provider: useHandle(), name };
  const all = useQuery(offers(path));
  return (
    <Awaited query={all} skeleton={<Lines count={8} />}>
      {({ items }) => {
        const current = items[0];
        if (current === undefined) {
          return (
            <Section title="Offer">
              <EmptyState title="There is no offer yet">
                The first version that is published makes it, from the manifest&apos;s [offer].
              </EmptyState>
            </Section>
          );
        }
        return (
          <>
            <PriceHistory name={name} offers={items} />
            <NewOffer key={current.id} path={path} current={current} />
          </>
        );
      }}
    </Awaited>
  );
}
