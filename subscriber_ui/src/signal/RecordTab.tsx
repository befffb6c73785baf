import { Section } from "../elements/Section";

export function RecordTab() {
  return <Section title="Track record">{null}</Section>;
}
