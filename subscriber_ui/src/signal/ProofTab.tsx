import { Section } from "../elements/Section";

export function ProofTab() {
  return <Section title="Proof">{null}</Section>;
}
