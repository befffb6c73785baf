import { PageHead } from "../elements/PageHead";

export function InvoicePage() {
  return <PageHead title="Invoice" />;
}
