/** What of the desk stands in the address: filters, as people share them. */

const OUTCOMES = ["late", "missed"] as const;
const DAY = /^\d{4}-\d{2}-\d{2}$/;

export type Outcome = (typeof OUTCOMES)[number];

export interface SlotsSearch {
  /** Without it both. */
  outcome?: Outcome;
  signal?: string;
  version?: string;
  /** Days, UTC; both are part of the range. */
  from?: string;
  to?: string;
}

export interface UsersSearch {
  q?: string;
}

export interface AuditSearch {
  actor?: string;
  action?: string;
  subject?: string;
  from?: string;
  to?: string;
}

export interface BusinessSearch {
  day?: string;
}

type Raw = Record<string, unknown>;

export function slotsSearch(raw: Raw): SlotsSearch {
  return {
    outcome: OUTCOMES.find((each) => each === raw["outcome"]),
    signal: words(raw["signal"]),
    version: words(raw["version"]),
    from: day(raw["from"]),
    to: day(raw["to"]),
  };
}

export function usersSearch(raw: Raw): UsersSearch {
  return { q: words(raw["q"]) };
}

export function auditSearch(raw: Raw): AuditSearch {
  return {
    actor: words(raw["actor"]),
    action: words(raw["action"]),
    subject: words(raw["subject"]),
    from: day(raw["from"]),
    to: day(raw["to"]),
  };
}

export function businessSearch(raw: Raw): BusinessSearch {
  return { day: day(raw["day"]) };
}

/** The beginning of a day, UTC, for the API. */
export function startOf(day: string | undefined): string | undefined {
  return day === undefined ? undefined : `${day}T00:00:00Z`;
}

/** The end of a day, UTC, exclusive. */
export function endOf(day: string | undefined): string | undefined {
  return day === undefined ? undefined : startOf(otherDay(day, 1));
}

/** So many days later; earlier where negative. */
export function otherDay(day: string, days: number): string {
  const date = new Date(`${day}T00:00:00Z`);
  date.setUTCDate(date.getUTCDate() + days);
  return date.toISOString().slice(0, 10);
}

function words(value: unknown): string | undefined {
  // A number in an address, such as ?signal=7, is read as one.
  const text = typeof value === "number" ? String(value) : value;
  return typeof text === "string" && text.trim() !== "" ? text.trim() : undefined;
}

function day(value: unknown): string | undefined {
  if (typeof value !== "string" || !DAY.test(value)) return undefined;
  return Number.isNaN(Date.parse(value)) ? undefined : value;
}
