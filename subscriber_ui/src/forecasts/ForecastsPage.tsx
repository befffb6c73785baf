import { PageHead } from "../elements/PageHead";

export function ForecastsPage() {
  return <PageHead title="My forecasts" />;
}
