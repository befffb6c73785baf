import { PageHead } from "../elements/PageHead";

export function UsersPage() {
  return <PageHead title="Users" />;
}
