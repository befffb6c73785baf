/** Numbers as people read them. Null is never 0: callers show `NONE` and the reason. */

export const NONE = "–";

const whole = new Intl.NumberFormat("en", { maximumFractionDigits: 0 });

/** 12,345 */
export function count(value: number): string {
  return whole.format(value);
}

/** `digits` significant digits, thousands grouped: 0.00123, 1.23, 12,300. */
export function number(value: number, digits = 3): string {
  return new Intl.NumberFormat("en", { maximumSignificantDigits: digits }).format(value);
}

/** A fixed number of decimals, for columns. */
export function fixed(value: number, decimals: number): string {
  return new Intl.NumberFormat("en", {
    minimumFractionDigits: decimals,
    maximumFractionDigits: decimals,
  }).format(value);
}

/** A share of one as percent: 0.1234 is 12.3 %. */
export function percent(value: number, decimals = 1): string {
  return `${fixed(value * 100, decimals)} %`;
}

/** A signed share of one: +1.2 %. */
export function change(value: number, decimals = 2): string {
  const sign = value > 0 ? "+" : "";
  return `${sign}${percent(value, decimals)}`;
}

/** Minor units of a currency: 4900 eur is €49.00. */
export function money(minor: number, currency: string): string {
  const format = new Intl.NumberFormat("en", { style: "currency", currency });
  const decimals = format.resolvedOptions().maximumFractionDigits ?? 2;
  return format.format(minor / 10 ** decimals);
}
