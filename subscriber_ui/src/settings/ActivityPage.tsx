import { PageHead } from "../elements/PageHead";

export function ActivityPage() {
  return <PageHead title="Activity" />;
}
