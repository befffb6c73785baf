import { PageHead } from "../elements/PageHead";

export function RevenuePage() {
  return <PageHead title="Revenue" />;
}
