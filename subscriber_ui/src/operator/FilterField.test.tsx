import { createRootRoute, createRouter, RouterContextProvider } from "@tanstack/react-router";
import { render, screen, waitFor } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import type { ReactNode } from "react";
import { expect, test, vi } from "vitest";

import { FilterField } from "./FilterField";

const router = createRouter({ routeTree: createRootRoute() });

function wrapper({ children }: { children: ReactNode }) {
  return <RouterContextProvider router={router}>{children}</RouterContextProvider>;
}

test("what is typed while the address follows is not lost", async () => {
  const told = vi.fn();
  const shown = render(<FilterField label="Who" value={undefined} onChange={told} />, { wrapper });
  await userEvent.type(screen.getByLabelText("Who"), "ad");
  await waitFor(() => expect(told).toHaveBeenCalledExactlyOnceWith("ad"));
  await userEvent.type(screen.getByLabelText("Who"), "a");
  shown.rerender(<FilterField label="Who" value="ad" onChange={told} />);
  expect(screen.getByLabelText("Who")).toHaveValue("ada");
});

test("a filter follows the address where somebody else changed it", async () => {
  const shown = render(<FilterField label="Who" value="ada" onChange={vi.fn()} />, { wrapper });
  shown.rerender(<FilterField label="Who" value="bob" onChange={vi.fn()} />);
  expect(await screen.findByDisplayValue("bob")).toBeVisible();
  shown.rerender(<FilterField label="Who" value={undefined} onChange={vi.fn()} />);
  expect(screen.getByLabelText("Who")).toHaveValue("");
});
