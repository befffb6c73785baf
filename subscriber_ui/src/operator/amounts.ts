const WRITTEN = /^\d{1,10}(?:\.\d{1,2})?$/;

/**
 * Minor units of an amount as people write it: 12.5 is 1250.
 * @returns null where it is not one.
 */
export function minorUnits(written: string): number | null {
  const text = written.trim();
  if (!WRITTEN.test(text)) return null;
  const [whole = "", part = ""] = text.split(".");
  const minor = Number(whole) * 100 + Number(part.padEnd(2, "0"));
  return minor > 0 ? minor : null;
}
