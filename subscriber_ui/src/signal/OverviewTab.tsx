import { Section } from "../elements/Section";

export function OverviewTab() {
  return <Section title="Overview">{null}</Section>;
}
