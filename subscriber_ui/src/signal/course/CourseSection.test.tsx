import { render, screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { expect, test, vi } from "vitest";

import type { Schemas } from "../../api/client";
import { CourseSection } from "./CourseSection";

const NONE: Schemas["Curve"] = {
  step_days: 1,
  days: [],
  total_return: [],
  drawdown: [],
  scored_slots: [],
};
const LIVE: Schemas["Curve"] = {
  step_days: 1,
  days: ["2026-11-20", "2026-11-21"],
  total_return: [0.01, -0.02],
  drawdown: [0, 0.03],
  scored_slots: [24, 23],
};
const PAST: Schemas["Curve"] = {
  ...LIVE,
  days: ["2026-11-01", "2026-11-02"],
  total_return: [0.5, 0.9],
};

test("a live course is shown alone, and says where it ends", () => {
  render(<CourseSection signal="ada/tide" curves={{ live: LIVE, afterwards: PAST }} />);
  expect(screen.queryByText("Hypothetical performance.")).toBeNull();
  const chart = screen.getByRole("img");
  expect(chart).toHaveAccessibleName(/live: from 2026-11-20 to 2026-11-21 a return of -2\.00 %/);
  expect(chart).toHaveAccessibleName(/worst drawdown 3\.0 %/);
  expect(chart).not.toHaveAccessibleName(/90/);
});

test("what was run afterwards comes with its notice, and only when it is asked for", async () => {
  render(<CourseSection signal="ada/tide" curves={{ live: LIVE, afterwards: PAST }} />);
  await userEvent.click(screen.getByRole("switch", { name: "Hypothetical" }));
  expect(screen.getByText("Hypothetical performance.")).toBeVisible();
  expect(screen.getByRole("img")).toHaveAccessibleName(/\+90\.00 %/);
});

test("an image carries the signal's name, and what is hypothetical about it", async () => {
  const saved: Blob[] = [];
  vi.spyOn(URL, "createObjectURL").mockImplementation((blob) => {
    saved.push(blob as Blob);
    return "blob:saved";
  });
  render(<CourseSection signal="ada/tide" curves={{ live: LIVE, afterwards: PAST }} />);
  const image = screen.getByRole("button", { name: "Image" });
  await userEvent.click(image);
  await userEvent.click(screen.getByRole("switch", { name: "Hypothetical" }));
  await userEvent.click(image);
  const [live = "", both = ""] = await Promise.all(saved.map((blob) => blob.text()));
  expect(live).toContain("ada/tide");
  expect(live).not.toContain("hypothetical");
  expect(both).toContain("hypothetical");
});

test("where nothing was live yet, all there is is called hypothetical", () => {
  render(<CourseSection signal="ada/tide" curves={{ live: NONE, afterwards: PAST }} />);
  expect(screen.getByText("Hypothetical performance.")).toBeVisible();
});

test("days are read one by one with the arrow keys", async () => {
  render(<CourseSection signal="ada/tide" curves={{ live: LIVE, afterwards: NONE }} />);
  screen.getByRole("img").focus();
  await userEvent.keyboard("{Home}");
  expect(screen.getByText(/2026-11-20 UTC/)).toHaveTextContent("return +1.00 %");
  await userEvent.keyboard("{ArrowRight}");
  expect(screen.getByText(/2026-11-21 UTC/)).toHaveTextContent("23 scored slots");
});

test("no course at all says when there is one", () => {
  render(<CourseSection signal="ada/tide" curves={null} />);
  expect(screen.getByText("No day to draw yet")).toBeVisible();
});
