import { PageHead } from "../elements/PageHead";

export function DeskPage() {
  return <PageHead title="Provider" />;
}
