import MenuItem from "@mui/material/MenuItem";
import Stack from "@mui/material/Stack";
import TextField from "@mui/material/TextField";
import { useQuery } from "@tanstack/react-query";

import { Awaited, Lines } from "../../elements/Awaited";
import { EmptyState } from "../../elements/EmptyState";
import { Section } from "../../elements/Section";
import { useHandle } from "../handle";
import { type Path, type Version, versions } from "../queries";
import { runsRoute } from "../routes";
import { HeatStrip } from "./HeatStrip";
import { LogDrawer } from "./LogDrawer";
import { RunTable } from "./RunTable";
import { readRunSearch, type RunSearch } from "./search";

/** Every hour of a version: what became of it, what it cost, what it wrote. */
export function RunsTab() {
  const { name } = runsRoute.useParams();
  const search = runsRoute.useSearch();
  const go = runsRoute.useNavigate();
  const path = { provider: useHandle(), name };
  const all = useQuery(versions(path));
  const change = (changed: Partial<RunSearch>) =>
    void go({
      search: (before) => readRunSearch({ ...before, cursor: undefined, ...changed }),
      replace: true,
      resetScroll: false,
    });
  return (
    <Awaited query={all} skeleton={<Lines count={10} />}>
      {({ items }) => {
        const published = items.filter((each) => each.published_at !== null);
        const shown = chosen(published, search.version);
        if (shown === undefined) {
          return (
            <Section title="Runs">
              <EmptyState title="No version was published yet">
                From the next full hour after its publication a version is run every hour.
              </EmptyState>
            </Section>
          );
        }
        return (
          <Runs
            path={path}
            shown={shown.version}
            published={published}
            search={search}
            change={change}
          />
        );
      }}
    </Awaited>
  );
}

interface RunsProps {
  path: Path;
  shown: string;
  published: Version[];
  search: RunSearch;
  change: (changed: Partial<RunSearch>) => void;
}

function Runs({ path, shown, published, search, change }: RunsProps) {
  return (
    <>
      <Stack direction="row" spacing={1.5} sx={{ mb: 2 }}>
        <TextField
          select
          label="Version"
          value={shown}
          onChange={(event) => change({ version: event.target.value, slot: undefined })}
          sx={{ width: 160 }}
        >
          {published.map((each) => (
            <MenuItem key={each.version} value={each.version}>
              {each.version} · {each.state}
            </MenuItem>
          ))}
        </TextField>
      </Stack>
      <HeatStrip path={path} version={shown} open={(slot) => change({ slot })} />
      <RunTable path={path} version={shown} search={search} change={change} />
      {search.slot !== undefined && (
        <LogDrawer
          path={path}
          version={shown}
          slot={search.slot}
          onClose={() => change({ slot: undefined, cursor: search.cursor })}
        />
      )}
    </>
  );
}

/** The one that was asked for; else the newest that runs; else the newest. */
function chosen(published: Version[], asked: string | undefined): Version | undefined {
  return (
    published.find((each) => each.version === asked) ??
    published.find((each) => each.state === "live") ??
    published[0]
  );
}
