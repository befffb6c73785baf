import { PageHead } from "../elements/PageHead";

export function ComparePage() {
  return <PageHead title="Compare" />;
}
