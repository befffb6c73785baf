import { PageHead } from "../elements/PageHead";

export function ForgotPage() {
  return <PageHead title="Forgotten password" />;
}
