import { Section } from "../elements/Section";

export function PlaybackTab() {
  return <Section title="Playback">{null}</Section>;
}
