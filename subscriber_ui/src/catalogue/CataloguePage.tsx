import { PageHead } from "../elements/PageHead";

export function CataloguePage() {
  return <PageHead title="Signals" />;
}
