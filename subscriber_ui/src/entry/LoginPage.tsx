import { PageHead } from "../elements/PageHead";

export function LoginPage() {
  return <PageHead title="Log in" />;
}
