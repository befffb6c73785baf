import { PageHead } from "../elements/PageHead";

export function FeedsPage() {
  return <PageHead title="Feeds" />;
}
