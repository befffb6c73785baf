import { PageHead } from "../elements/PageHead";

export function NewSignalPage() {
  return <PageHead title="New signal" />;
}
