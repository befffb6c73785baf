import { PageHead } from "../elements/PageHead";

export function ResetPage() {
  return <PageHead title="New password" />;
}
