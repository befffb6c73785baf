import { Awaited, Lines } from "../elements/Awaited";
import { rowsAsCsv } from "../elements/DataTable";
import { DownloadButton } from "../elements/DownloadButton";
import { PageHead } from "../elements/PageHead";
import { Section } from "../elements/Section";
import { FEED_COLUMNS, FeedsTable } from "./FeedsTable";
import { useHealth } from "./health";

/** Every feed that a live version reads: how old it is, and what was refused of it. */
export function FeedsPage() {
  const health = useHealth();
  return (
    <>
      <PageHead
        title="Feeds"
        lead="Bars of the symbols that live versions read. A bar is known from when a model could first see it."
      />
      <Section
        title="Symbols"
        flush
        actions={
          health.data && (
            <DownloadButton
              file="feeds.csv"
              content={() => rowsAsCsv(FEED_COLUMNS, health.data.feeds)}
            />
          )
        }
      >
        <Awaited query={health} skeleton={<Lines count={5} height={36} />}>
          {({ feeds }) => <FeedsTable feeds={feeds} />}
        </Awaited>
      </Section>
    </>
  );
}
