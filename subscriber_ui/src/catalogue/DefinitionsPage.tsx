import { PageHead } from "../elements/PageHead";

export function DefinitionsPage() {
  return <PageHead title="Definitions" />;
}
