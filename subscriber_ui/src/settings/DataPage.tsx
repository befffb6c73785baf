import { PageHead } from "../elements/PageHead";

export function DataPage() {
  return <PageHead title="My data" />;
}
