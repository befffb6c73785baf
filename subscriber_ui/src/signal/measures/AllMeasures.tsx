import Box from "@mui/material/Box";
import Table from "@mui/material/Table";
import TableBody from "@mui/material/TableBody";
import TableCell from "@mui/material/TableCell";
import TableContainer from "@mui/material/TableContainer";
import TableHead from "@mui/material/TableHead";
import TableRow from "@mui/material/TableRow";

import { csv } from "../../elements/csv";
import { DownloadButton } from "../../elements/DownloadButton";
import { EmptyState } from "../../elements/EmptyState";
import { Absent } from "../../elements/Figure";
import { unitIn } from "../../elements/MeasureFigure";
import { MetricName, useDefinitions } from "../../elements/MetricName";
import { Section } from "../../elements/Section";
import { interval, type Measures, valueOf } from "../../format/measures";
import { count } from "../../format/numbers";
import { grouped } from "./groups";

/** Every measure of the live record, with interval, count and unit, or why there is none. */
export function AllMeasures({ signal, live }: { signal: string; live: Measures }) {
  const definitions = useDefinitions().data?.items ?? [];
  const isEmpty = Object.values(live).every((each) => each.value == null);
  return (
    <Section
      title="Every measure, live"
      lead="Of slots proven live alone. Hover over a name, or reach it by keyboard, for its formula."
      actions={
        <DownloadButton
          file={`${signal.replace("/", "-")}-measures.csv`}
          content={() => asCsv(live)}
        />
      }
      flush
    >
      {isEmpty ? (
        <EmptyState title="Nothing is scored live yet">
          {live["mean_absolute_error"]?.reason}. A forecast is scored when the bar of its target
          time has closed; measures follow within the hour.
        </EmptyState>
      ) : (
        <TableContainer tabIndex={0} role="group" aria-label="Every measure, scrolls sideways">
          <Table size="small">
            <TableHead>
              <TableRow>
                <TableCell>Measure</TableCell>
                <TableCell align="right">Value</TableCell>
                <TableCell align="right">95 % interval</TableCell>
                <TableCell align="right">Count</TableCell>
                <TableCell sx={{ display: { xs: "none", md: "table-cell" } }}>Unit</TableCell>
              </TableRow>
            </TableHead>
            {grouped(live).map(({ title, metrics }) => (
              <TableBody key={title}>
                <TableRow>
                  <TableCell
                    component="th"
                    scope="rowgroup"
                    colSpan={5}
                    sx={{ color: "text.secondary", fontWeight: 600, bgcolor: "action.hover" }}
                  >
                    {title}
                  </TableCell>
                </TableRow>
                {metrics.map((metric) => {
                  const measure = live[metric];
                  const unit = unitIn(definitions, metric);
                  const value = valueOf(measure, unit, metric);
                  return (
                    <TableRow key={metric} hover>
                      <TableCell component="th" scope="row">
                        <MetricName metric={metric} />
                      </TableCell>
                      <TableCell align="right" sx={{ fontWeight: 600, whiteSpace: "nowrap" }}>
                        {value ?? <Absent reason={measure?.reason} />}
                      </TableCell>
                      <TableCell align="right" sx={{ whiteSpace: "nowrap" }}>
                        {(measure && interval(measure, unit, metric)) ?? (
                          <Absent
                            reason={
                              value === null
                                ? measure?.reason
                                : "It has no interval: the record is too short, or the measure has none."
                            }
                          />
                        )}
                      </TableCell>
                      <TableCell align="right">{count(measure?.count ?? 0)}</TableCell>
                      <TableCell sx={{ display: { xs: "none", md: "table-cell" } }}>
                        <Box component="span" sx={{ color: "text.secondary" }}>
                          {unit}
                        </Box>
                      </TableCell>
                    </TableRow>
                  );
                })}
              </TableBody>
            ))}
          </Table>
        </TableContainer>
      )}
    </Section>
  );
}

function asCsv(live: Measures): string {
  return csv(
    ["measure", "value", "low", "high", "count", "reason"],
    grouped(live).flatMap(({ metrics }) =>
      metrics.map((metric) => {
        const one = live[metric];
        return [
          metric,
          one?.value ?? null,
          one?.low ?? null,
          one?.high ?? null,
          one?.count ?? 0,
          one?.reason ?? null,
        ];
      }),
    ),
  );
}
