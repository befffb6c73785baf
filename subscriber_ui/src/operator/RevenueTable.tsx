import Box from "@mui/material/Box";

import type { Schemas } from "../api/client";
import { type Column, DataTable, rowsAsCsv } from "../elements/DataTable";
import { DownloadButton } from "../elements/DownloadButton";
import { EmptyState } from "../elements/EmptyState";
import { Absent } from "../elements/Figure";
import { RouterLink } from "../elements/RouterLink";
import { money, NONE } from "../format/numbers";

type BusinessFigure = Schemas["Figure"];

const COLUMNS: Column<BusinessFigure>[] = [
  {
    id: "signal",
    header: "Signal",
    value: (figure) => figure.signal,
    cell: (figure) => <Signal signal={figure.signal} />,
  },
  { id: "currency", header: "Currency", value: (figure) => figure.currency },
  {
    id: "revenue_minor",
    header: "Revenue of the day",
    numeric: true,
    value: (figure) => figure.value,
    cell: ({ value, currency, reason }) =>
      value === null || currency === null ? <Absent reason={reason} /> : money(value, currency),
  },
];

/** Invoices of the day less what went back on it, signal by signal. */
export function RevenueTable({ figures, day }: { figures: BusinessFigure[]; day: string | null }) {
  return (
    <>
      <DataTable
        caption="Revenue per signal"
        columns={COLUMNS}
        rows={figures}
        rowKey={(figure) => `${figure.signal ?? ""} ${figure.currency ?? ""}`}
        empty={<EmptyState title="No signal was on offer" />}
      />
      {figures.length > 0 && (
        <Box sx={{ px: 1, pt: 0.5 }}>
          <DownloadButton
            file={`revenue-${day ?? "newest"}.csv`}
            content={() => rowsAsCsv(COLUMNS, figures)}
          />
        </Box>
      )}
    </>
  );
}

function Signal({ signal }: { signal: string | null }) {
  if (signal === null) return NONE;
  const [provider = "", name = ""] = signal.split("/");
  return (
    <RouterLink to="/signals/$provider/$name" params={{ provider, name }}>
      {signal}
    </RouterLink>
  );
}
