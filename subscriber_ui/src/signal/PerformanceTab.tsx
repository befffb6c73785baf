import { Section } from "../elements/Section";

export function PerformanceTab() {
  return <Section title="Performance">{null}</Section>;
}
