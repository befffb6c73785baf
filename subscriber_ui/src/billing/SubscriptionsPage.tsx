import { PageHead } from "../elements/PageHead";

export function SubscriptionsPage() {
  return <PageHead title="Subscriptions" />;
}
