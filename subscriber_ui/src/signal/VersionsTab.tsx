import { Section } from "../elements/Section";

export function VersionsTab() {
  return <Section title="Versions">{null}</Section>;
}
