import { PageHead } from "../elements/PageHead";

export function SecurityPage() {
  return <PageHead title="Security" />;
}
