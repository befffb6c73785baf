/** The offer as `signal.toml` writes it (docs/provider/manifest.md). */

const PRICE = /^\d{1,5}(\.\d{2})?$/;
const DAYS = /^\d{1,2}$/;
const DAYS_AT_MOST = 30;

/** Lines for the manifest; null where a bound is broken. */
export function offerLines(price: string, trialDays: string): string | null {
  if (!PRICE.test(price) || !areDays(trialDays)) return null;
  return `[offer]\nprice = "${price}"\ncurrency = "EUR"\ntrial_days = ${Number(trialDays)}`;
}

/** Cents of a written price; null where it is none. */
export function minorOf(price: string): number | null {
  return PRICE.test(price) ? Math.round(Number(price) * 100) : null;
}

export function areDays(text: string): boolean {
  return DAYS.test(text) && Number(text) <= DAYS_AT_MOST;
}
