import { PageHead } from "../elements/PageHead";

export function BusinessPage() {
  return <PageHead title="Business" />;
}
