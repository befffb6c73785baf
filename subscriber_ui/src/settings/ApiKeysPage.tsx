import { PageHead } from "../elements/PageHead";

export function ApiKeysPage() {
  return <PageHead title="API keys" />;
}
