import Box from "@mui/material/Box";
import Table from "@mui/material/Table";
import TableBody from "@mui/material/TableBody";
import TableCell from "@mui/material/TableCell";
import TableContainer from "@mui/material/TableContainer";
import TableHead from "@mui/material/TableHead";
import TableRow from "@mui/material/TableRow";
import TableSortLabel from "@mui/material/TableSortLabel";
import { visuallyHidden } from "@mui/utils";
import {
  type ColumnDef,
  createSortedRowModel,
  rowSortingFeature,
  tableFeatures,
  useTable,
} from "@tanstack/react-table";
import { type ReactNode, useMemo } from "react";

import { csv } from "./csv";

export interface Column<Row> {
  id: string;
  header: ReactNode;
  /** Sorted by, and written to CSV; null sorts last. Without it the column does neither. */
  value?: (row: Row) => string | number | null;
  /** What is shown; the value otherwise. */
  cell?: (row: Row) => ReactNode;
  numeric?: boolean;
  /** Left out below this width; the row must make sense without it. */
  from?: "sm" | "md" | "lg";
}

interface Props<Row> {
  /** Names the table for those who do not see it. */
  caption: string;
  columns: Column<Row>[];
  rows: Row[];
  rowKey: (row: Row) => string;
  /** Shown instead of no rows. */
  empty?: ReactNode;
}

const features = tableFeatures({
  rowSortingFeature,
  sortedRowModel: createSortedRowModel(),
});

/** Rows that sort by their columns; wide ones scroll inside themselves. */
export function DataTable<Row extends object>({
  caption,
  columns,
  rows,
  rowKey,
  empty,
}: Props<Row>) {
  const defs = useMemo(() => columns.map((column) => definition(column)), [columns]);
  const table = useTable({ features, columns: defs, data: rows, getRowId: rowKey });
  const byId = new Map(columns.map((column) => [column.id, column]));
  if (rows.length === 0 && empty !== undefined) return empty;
  return (
    <TableContainer tabIndex={0} role="group" aria-label={`${caption}, scrolls sideways`}>
      <Table size="small">
        <Box component="caption" sx={visuallyHidden}>
          {caption}
        </Box>
        <TableHead>
          <TableRow>
            {table.getFlatHeaders().map((header) => {
              const column = byId.get(header.column.id);
              const sorted = header.column.getIsSorted();
              return (
                <TableCell
                  key={header.id}
                  align={column?.numeric === true ? "right" : "left"}
                  sortDirection={sorted}
                  sx={shownFrom(column?.from)}
                >
                  {header.column.getCanSort() ? (
                    <TableSortLabel
                      active={sorted !== false}
                      direction={sorted === false ? "asc" : sorted}
                      onClick={header.column.getToggleSortingHandler()}
                    >
                      {column?.header}
                    </TableSortLabel>
                  ) : (
                    column?.header
                  )}
                </TableCell>
              );
            })}
          </TableRow>
        </TableHead>
        <TableBody>
          {table.getRowModel().rows.map((row) => (
            <TableRow key={row.id} hover>
              {columns.map((column) => (
                <TableCell
                  key={column.id}
                  align={column.numeric === true ? "right" : "left"}
                  sx={shownFrom(column.from)}
                >
                  {column.cell === undefined
                    ? column.value?.(row.original)
                    : column.cell(row.original)}
                </TableCell>
              ))}
            </TableRow>
          ))}
        </TableBody>
      </Table>
    </TableContainer>
  );
}

/** The rows as CSV: the columns that have values, under their ids. */
export function rowsAsCsv<Row>(columns: Column<Row>[], rows: Row[]): string {
  const valued = columns.flatMap(({ id, value }) => (value === undefined ? [] : [{ id, value }]));
  return csv(
    valued.map(({ id }) => id),
    rows.map((row) => valued.map(({ value }) => value(row))),
  );
}

function compared(left: unknown, right: unknown): number {
  if (typeof left === "number" && typeof right === "number") return left - right;
  return String(left).localeCompare(String(right), "en", { numeric: true });
}

function definition<Row extends object>(column: Column<Row>): ColumnDef<typeof features, Row> {
  return {
    id: column.id,
    accessorFn: (row) => column.value?.(row) ?? undefined,
    enableSorting: column.value !== undefined,
    sortFn: (a, b, id) => compared(a.getValue(id), b.getValue(id)),
    sortUndefined: "last",
  };
}

function shownFrom(from: Column<never>["from"]) {
  return from === undefined ? undefined : { display: { xs: "none", [from]: "table-cell" } };
}
