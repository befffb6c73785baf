import { render, screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { expect, test } from "vitest";

import { type Column, DataTable, rowsAsCsv } from "./DataTable";

interface Row {
  name: string;
  size: number | null;
}

const COLUMNS: Column<Row>[] = [
  { id: "name", header: "Name", value: (row) => row.name },
  { id: "size", header: "Size", value: (row) => row.size, numeric: true },
  { id: "open", header: "", cell: (row) => `open ${row.name}` },
];
const ROWS: Row[] = [
  { name: "b", size: 10 },
  { name: "=1+1", size: null },
  { name: "c, d", size: 9 },
];

function names(): (string | null)[] {
  return screen
    .getAllByRole("row")
    .slice(1)
    .map((row) => row.children[0]?.textContent ?? null);
}

test("a header sorts by its numbers, and rows without one come last either way", async () => {
  render(<DataTable caption="Things" columns={COLUMNS} rows={ROWS} rowKey={(row) => row.name} />);
  expect(names()).toEqual(["b", "=1+1", "c, d"]);
  await userEvent.click(screen.getByRole("button", { name: "Size" }));
  const first = names();
  await userEvent.click(screen.getByRole("button", { name: "Size" }));
  expect([first, names()]).toContainEqual(["c, d", "b", "=1+1"]);
  expect([first, names()]).toContainEqual(["b", "c, d", "=1+1"]);
});

test("no rows show what is to be done instead", () => {
  render(
    <DataTable caption="Things" columns={COLUMNS} rows={[]} rowKey={String} empty="Make one" />,
  );
  expect(screen.getByText("Make one")).toBeVisible();
});

test("csv quotes what must be, and starts no formula in a spreadsheet", () => {
  expect(rowsAsCsv(COLUMNS, ROWS)).toBe('name,size\r\nb,10\r\n\'=1+1,\r\n"c, d",9\r\n');
});
