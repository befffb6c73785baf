import { PageHead } from "../elements/PageHead";

export function OverviewPage() {
  return <PageHead title="Operator" />;
}
