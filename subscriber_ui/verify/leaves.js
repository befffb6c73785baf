// What each kind of leaf says, and that it says nothing else, in one spelling.
// @ts-check

import { Fault } from "./fault.js";

export const HOUR = 3600;

/** @typedef {{ kind: string, sig: string, seq: number, prev: string, ver: string, slot: number, vl: number, img: string, c: string, leaf: number }} Leaf */

/** @param {RegExp} pattern */
const text = (pattern) => (/** @type {unknown} */ value) =>
  typeof value === "string" && pattern.test(value);
/** @param {number} low @param {number} high */
const whole = (low, high) => (/** @type {unknown} */ value) =>
  Number.isSafeInteger(value) && Number(value) >= low && Number(value) <= high;

const count = whole(0, Number.MAX_SAFE_INTEGER);
const version = text(/^v[0-9]+\.[0-9]+\.[0-9]+$/);
const digest = text(/^sha256:[0-9a-f]{64}$/);
const hash = text(/^[0-9a-f]{64}$/);
const slot = (/** @type {unknown} */ value) => count(value) && Number(value) % HOUR === 0;
const words = (/** @type {unknown} */ value) =>
  typeof value === "string" && [...value].length <= 4000;

const COMMON = {
  kind: text(/^/),
  sig: text(/^[a-z0-9][a-z0-9_-]{0,63}\/[a-z][a-z0-9-]{1,38}[a-z0-9]$/),
  seq: count,
  prev: text(/^([0-9a-f]{64})?$/),
};

/** @type {Record<string, Record<string, (value: unknown) => boolean>>} */
const KINDS = {
  "version/v1": {
    ver: version, commit: text(/^[0-9a-f]{40}([0-9a-f]{24})?$/), tree: digest, lock: digest,
    img: digest, base: digest, sbom: digest,
  },
  "forecast/v1": { ver: version, vl: count, img: digest, slot, inp: digest, c: hash },
  "missed/v1": { ver: version, slot, why: words },
  "offline/v1": { ver: version },
  "live/v1": { ver: version },
  "retired/v1": { ver: version },
  "price/v1": {
    amount_minor: count, currency: text(/^[A-Z]{3}$/), trial_days: whole(0, 30),
    reveal_after_hours: whole(1, 8760),
  },
  "audit/v1": { leaf: count, reproduced: (value) => typeof value === "boolean", why: words },
};

/** @param {number} index @param {string} body @returns {Leaf} */
export function parseLeaf(index, body) {
  const bad = (/** @type {string} */ problem) => new Fault("leaf", `leaf ${index}: ${problem}`);
  let said;
  try {
    said = JSON.parse(body);
  } catch {
    throw bad("it is no JSON");
  }
  if (typeof said !== "object" || said === null || Array.isArray(said)) throw bad("it is no object");
  const kind = Object.hasOwn(KINDS, said.kind) ? KINDS[said.kind] : null;
  if (!kind) throw bad("its kind is not known");
  const fields = { ...COMMON, ...kind };
  for (const name of Object.keys(said)) {
    if (!Object.hasOwn(fields, name)) throw bad(`it has an unknown field ${name}`);
  }
  for (const [name, fits] of Object.entries(fields)) {
    if (!fits(said[name])) throw bad(`its ${name} is missing or out of bounds`);
  }
  const sorted = Object.fromEntries(Object.keys(said).sort().map((name) => [name, said[name]]));
  if (JSON.stringify(sorted) !== body) throw bad("it is not in canonical form");
  return said;
}

/** @param {Leaf} leaf */
export const hasSlot = (leaf) => leaf.kind === "forecast/v1" || leaf.kind === "missed/v1";
