import { expect, test } from "vitest";

import { duration, relative } from "./durations";
import { day, instant } from "./instants";
import { change, money, number, percent } from "./numbers";

test("minor units follow their currency", () => {
  expect(money(4900, "EUR")).toBe("€49.00");
  expect(money(4900, "JPY")).toBe("¥4,900");
  expect(money(-1, "USD")).toBe("-$0.01");
});

test("shares are percent, changes carry their sign", () => {
  expect(percent(0.1234)).toBe("12.3 %");
  expect(change(0.0012)).toBe("+0.12 %");
  expect(change(-0.5)).toBe("-50.00 %");
  expect(number(0.00123456)).toBe("0.00123");
});

test("an instant always says its zone", () => {
  expect(instant("2026-11-22T01:00:00Z", "UTC")).toBe("2026-11-22 01:00 UTC");
  expect(instant("2026-11-22T00:00:00Z", "UTC", true)).toBe("2026-11-22 00:00:00 UTC");
  expect(day("2026-11-21T23:59:59Z", "UTC")).toBe("2026-11-21");
});

test("durations keep their two largest units", () => {
  expect(duration(0)).toBe("0 s");
  expect(duration(3 * 86_400 + 4 * 3_600 + 59)).toBe("3 d 4 h");
  expect(relative("2026-11-22T01:00:00Z", Date.parse("2026-11-22T01:03:00Z"))).toBe("3 min ago");
  expect(relative("2026-11-22T01:00:00Z", Date.parse("2026-11-22T00:59:30Z"))).toBe("in 30 s");
});
