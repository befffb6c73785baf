import { PageHead } from "../elements/PageHead";

export function SlotsPage() {
  return <PageHead title="Late and missed slots" />;
}
