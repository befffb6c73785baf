import { PageHead } from "../elements/PageHead";

export function OwnSignalPage() {
  return <PageHead title="Signal" />;
}
