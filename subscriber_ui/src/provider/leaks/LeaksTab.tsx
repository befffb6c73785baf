import Alert from "@mui/material/Alert";
import MenuItem from "@mui/material/MenuItem";
import TextField from "@mui/material/TextField";
import Typography from "@mui/material/Typography";
import { useQuery } from "@tanstack/react-query";

import { Awaited, Lines } from "../../elements/Awaited";
import { type Column, DataTable, rowsAsCsv } from "../../elements/DataTable";
import { DownloadButton } from "../../elements/DownloadButton";
import { EmptyState } from "../../elements/EmptyState";
import { Absent } from "../../elements/Figure";
import { Section } from "../../elements/Section";
import type { Schemas } from "../../api/client";
import { Instant } from "../../format/Instant";
import { number } from "../../format/numbers";
import { useHandle } from "../handle";
import { versions } from "../queries";
import { leaksRoute } from "../routes";
import { causeInWords, leakInWords, type LeakReport } from "./words";

type Difference = Schemas["Difference"];

const SEVERITY = { same: "success", differs: "warning", not_comparable: "info" } as const;

/** Whether a version's own backtest knew more than its model does. */
export function LeaksTab() {
  const { name } = leaksRoute.useParams();
  const { version } = leaksRoute.useSearch();
  const go = leaksRoute.useNavigate();
  const all = useQuery(versions({ provider: useHandle(), name }));
  return (
    <Awaited query={all} skeleton={<Lines count={8} />}>
      {({ items }) => {
        const examined = items.filter((each) => each.leak_report !== null);
        const shown = examined.find((each) => each.version === version) ?? examined[0];
        if (shown?.leak_report == null) {
          return (
            <Section title="Leak report">
              <EmptyState title="No version was examined yet">
                Each push is examined in the sandbox before it goes live. signalbox test asks the
                same questions on your machine.
              </EmptyState>
            </Section>
          );
        }
        return (
          <Section
            title="Leak report"
            lead="forecast_history, your backtest, against forecast, your model. It is public, as part of the version."
            actions={
              <TextField
                select
                label="Version"
                value={shown.version}
                onChange={(event) =>
                  void go({ search: { version: event.target.value }, replace: true })
                }
                sx={{ width: 140 }}
              >
                {examined.map((each) => (
                  <MenuItem key={each.version} value={each.version}>
                    {each.version}
                  </MenuItem>
                ))}
              </TextField>
            }
          >
            <Report report={shown.leak_report} file={`${name}-${shown.version}-leaks.csv`} />
          </Section>
        );
      }}
    </Awaited>
  );
}

export function Report({ report, file }: { report: LeakReport; file: string }) {
  const cause = causeInWords(report);
  return (
    <>
      <Alert severity={SEVERITY[report.verdict]} variant="outlined">
        <strong>{leakInWords(report)}</strong>
        {report.bars !== "" && ` (${report.bars})`}
        {report.verdict === "same" && ". Nothing is said of other hours."}
        {report.verdict === "not_comparable" &&
          ". Never to be taken for clean: define forecast_history in app.py, and it is compared."}
        {cause !== null && <div>{cause}</div>}
      </Alert>
      <Typography sx={{ my: 1.5 }}>
        {report.carries_state === null
          ? "Whether it carries state from hour to hour was not asked."
          : report.carries_state
            ? "It carries state from hour to hour: its answer depends on hours answered before, which a fresh run each hour does not know."
            : "It carries no state from hour to hour."}
      </Typography>
      {report.differences.length > 0 && (
        <>
          <Typography variant="h3" component="h3" sx={{ mt: 2 }}>
            Rows that differ
            <DownloadButton file={file} content={() => rowsAsCsv(COLUMNS, report.differences)} />
          </Typography>
          <DataTable
            caption="Rows that differ"
            columns={COLUMNS}
            rows={report.differences}
            rowKey={(row) => `${row.as_of} ${row.symbol} ${row.horizon_hours} ${row.column}`}
          />
          {report.rows_differing > report.differences.length && (
            <Typography variant="caption" color="textSecondary">
              The first {report.differences.length} of {report.rows_differing}.
            </Typography>
          )}
        </>
      )}
    </>
  );
}

const COLUMNS: Column<Difference>[] = [
  {
    id: "as_of",
    header: "Hour",
    value: (row) => row.as_of,
    cell: (row) => <Instant at={row.as_of} />,
  },
  { id: "symbol", header: "Symbol", value: (row) => row.symbol },
  {
    id: "horizon_hours",
    header: "Horizon",
    value: (row) => row.horizon_hours,
    cell: (row) => `${row.horizon_hours} h`,
    numeric: true,
  },
  { id: "column", header: "Value", value: (row) => row.column },
  {
    id: "forecast",
    header: "forecast",
    value: (row) => row.forecast,
    cell: (row) => <Answer value={row.forecast} by="forecast" />,
    numeric: true,
  },
  {
    id: "forecast_history",
    header: "forecast_history",
    value: (row) => row.forecast_history,
    cell: (row) => <Answer value={row.forecast_history} by="forecast_history" />,
    numeric: true,
  },
];

function Answer({ value, by }: { value: number | null; by: string }) {
  return value === null ? <Absent reason={`${by} did not answer this.`} /> : number(value, 6);
}
