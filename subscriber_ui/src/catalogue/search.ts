/** What the catalogue shows, as the address has it. */

import type { operations } from "../api/schema";

type Query = NonNullable<operations["list_signals"]["parameters"]["query"]>;
export type Sort = NonNullable<Query["sort"]>;

export interface CatalogueSearch {
  q?: string;
  symbol?: string;
  horizon?: number;
  /** A month, in whole euros. */
  price?: number;
  trial?: boolean;
  days?: number;
  /** Percent. */
  skill?: number;
  /** Percent. */
  drawdown?: number;
  sort?: Sort;
  /** Watched signals alone. */
  watched?: boolean;
  /** Chosen to be compared: provider/name. */
  pick?: string[];
}

export interface CompareSearch {
  /** provider/name by commas. */
  signals?: string;
  /** What each would be added to: what the reader subscribes to; otherwise the others. */
  against?: "mine";
}

export const SORTS: [Sort, string][] = [
  ["live_age-desc", "Longest live record"],
  ["skill-desc", "Highest skill"],
  ["sharpe-desc", "Highest Sharpe ratio"],
  ["drawdown", "Smallest drawdown"],
  ["price", "Lowest price"],
  ["newest", "Newest"],
  ["name", "Name"],
];
export const USUAL_SORT: Sort = "live_age-desc";
export const COMPARED_AT_MOST = 5;
const NAME = /^[a-z0-9-]{1,40}\/[a-z0-9-]{1,40}$/;

/** Reads the address; what makes no sense is left out. */
export function readSearch(raw: Record<string, unknown>): CatalogueSearch {
  const picked = names(raw["pick"]);
  return dropEmpty({
    q: text(raw["q"], 200),
    symbol: text(raw["symbol"], 32)?.toUpperCase(),
    horizon: within(raw["horizon"], 1, 168),
    price: within(raw["price"], 0, 1_000_000),
    trial: raw["trial"] === true ? true : undefined,
    days: within(raw["days"], 1, 3650),
    skill: within(raw["skill"], -100, 100),
    drawdown: within(raw["drawdown"], 0, 100),
    sort: SORTS.find(([sort]) => sort === raw["sort"])?.[0],
    watched: raw["watched"] === true ? true : undefined,
    pick: picked.length > 0 ? picked : undefined,
  });
}

/** The same for GET /v1/signals. */
export function queryOf(search: CatalogueSearch): Query {
  return dropEmpty({
    q: search.q,
    symbol: search.symbol,
    horizon: search.horizon,
    max_price_minor: search.price === undefined ? undefined : search.price * 100,
    trial: search.trial,
    min_live_days: search.days,
    min_skill: search.skill === undefined ? undefined : search.skill / 100,
    max_drawdown: search.drawdown === undefined ? undefined : search.drawdown / 100,
    sort: search.sort ?? USUAL_SORT,
  });
}

/** How many filters are set, words aside. */
export function filtersSet(search: CatalogueSearch): number {
  const { symbol, horizon, price, trial, days, skill, drawdown } = search;
  return [symbol, horizon, price, trial, days, skill, drawdown].filter((each) => each !== undefined)
    .length;
}

/** With a signal chosen, or no longer; more than five are not taken. */
export function toggled(picked: string[], signal: string): string[] {
  if (picked.includes(signal)) return picked.filter((each) => each !== signal);
  return picked.length < COMPARED_AT_MOST ? [...picked, signal] : picked;
}

/** Names of signals, each once, as /compare?signals=a/b,c/d has them. */
export function names(raw: unknown): string[] {
  const parts: unknown[] = typeof raw === "string" ? raw.split(",") : Array.isArray(raw) ? raw : [];
  const good = parts.filter((each): each is string => typeof each === "string" && NAME.test(each));
  return [...new Set(good)].slice(0, COMPARED_AT_MOST);
}

function text(raw: unknown, length: number): string | undefined {
  // The router reads ?q=2026 as a number.
  const told = typeof raw === "number" ? String(raw) : raw;
  if (typeof told !== "string" || told.trim() === "") return undefined;
  return told.slice(0, length);
}

function within(raw: unknown, low: number, high: number): number | undefined {
  return typeof raw === "number" && raw >= low && raw <= high ? raw : undefined;
}

function dropEmpty<Fields extends object>(fields: Fields): Fields {
  return Object.fromEntries(
    Object.entries(fields).filter(([, value]) => value !== undefined),
  ) as Fields;
}
