import { PageHead } from "../elements/PageHead";

export function WebhooksPage() {
  return <PageHead title="Webhooks" />;
}
