import { PageHead } from "../elements/PageHead";

export function InvoicesPage() {
  return <PageHead title="Invoices" />;
}
