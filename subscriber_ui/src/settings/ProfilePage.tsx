import { PageHead } from "../elements/PageHead";

export function ProfilePage() {
  return <PageHead title="Profile" />;
}
