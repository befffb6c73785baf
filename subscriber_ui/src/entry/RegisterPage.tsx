import { PageHead } from "../elements/PageHead";

export function RegisterPage() {
  return <PageHead title="Create an account" />;
}
