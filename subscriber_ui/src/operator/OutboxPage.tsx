import { PageHead } from "../elements/PageHead";

export function OutboxPage() {
  return <PageHead title="Outbox" />;
}
