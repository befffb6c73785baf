import { money } from "../format/numbers";

/** Amounts in their currencies, side by side; null where there is none. */
export function amounts(of: [minor: number, currency: string][]): string | null {
  return of.length === 0 ? null : of.map(([minor, currency]) => money(minor, currency)).join(" · ");
}
