import MenuItem from "@mui/material/MenuItem";
import Stack from "@mui/material/Stack";
import TextField from "@mui/material/TextField";
import { useNavigate, useSearch } from "@tanstack/react-router";

import { rowsAsCsv } from "../elements/DataTable";
import { DownloadButton } from "../elements/DownloadButton";
import { PageHead } from "../elements/PageHead";
import { Section } from "../elements/Section";
import { DagsterLink } from "./DagsterLink";
import { FilterField } from "./FilterField";
import { Paged } from "./Paged";
import { RunAgain } from "./RunAgain";
import { useSlots } from "./runs";
import type { Outcome, SlotsSearch } from "./search";
import { SLOT_CSV_COLUMNS, SlotsTable } from "./SlotsTable";

/** Every slot that came late or not at all, and the way to run it again. */
export function SlotsPage() {
  const search = useSearch({ from: "/operator/slots" });
  const slots = useSlots(search);
  const shown = slots.data?.pages.flatMap((page) => page.items) ?? [];
  return (
    <>
      <PageHead
        title="Late and missed slots"
        lead="Last recorded first. Late is what was recorded after its deadline; what was recorded in time and proven late, the signal's record shows. A slot that is owed and not recorded yet is in the queue of the overview."
        actions={<DagsterLink />}
      />
      <Filters search={search} />
      <Section
        title="Slots"
        flush
        actions={
          shown.length > 0 && (
            <DownloadButton file="slots.csv" content={() => rowsAsCsv(SLOT_CSV_COLUMNS, shown)} />
          )
        }
      >
        <Paged query={slots}>{(items) => <SlotsTable runs={items} />}</Paged>
      </Section>
      <RunAgain />
    </>
  );
}

function Filters({ search }: { search: SlotsSearch }) {
  const navigate = useNavigate({ from: "/operator/slots" });
  const change = (part: SlotsSearch) =>
    void navigate({ search: (before) => ({ ...before, ...part }), replace: true });
  return (
    <Stack direction="row" useFlexGap spacing={1.5} sx={{ flexWrap: "wrap", mb: 2 }}>
      <TextField
        select
        label="Outcome"
        value={search.outcome ?? "both"}
        onChange={({ target }) =>
          change({ outcome: target.value === "both" ? undefined : (target.value as Outcome) })
        }
        sx={{ width: { xs: "100%", sm: 160 } }}
      >
        <MenuItem value="both">late and missed</MenuItem>
        <MenuItem value="late">late</MenuItem>
        <MenuItem value="missed">missed</MenuItem>
      </TextField>
      <FilterField
        label="Signal"
        placeholder="provider/name"
        value={search.signal}
        onChange={(signal) => change({ signal })}
        width={220}
      />
      <FilterField
        label="Version"
        placeholder="v1.0.0"
        value={search.version}
        onChange={(version) => change({ version })}
        width={120}
      />
      <FilterField
        label="From day (UTC)"
        type="date"
        value={search.from}
        onChange={(from) => change({ from })}
      />
      <FilterField
        label="To day (UTC)"
        type="date"
        value={search.to}
        onChange={(to) => change({ to })}
      />
    </Stack>
  );
}
