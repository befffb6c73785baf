// Check a bundle of evidence against a policy, in the browser: as signalbox.log.verify, in the
// same order, with the same words for what does not hold. Nothing here asks the platform.
// @ts-check

import { concat, equal, fromBase64, hex, sha256, unsigned, utf8 } from "./bytes.js";
import { Fault, spell } from "./fault.js";
import { hasSlot, parseLeaf } from "./leaves.js";
import { HASH_BYTES, leafHash, verifyMultiproof } from "./merkle.js";
import { parseCheckpoint, parseNote } from "./note.js";
import { openEvidence, quorumTime, summary } from "./policy.js";
import { SignalState } from "./rules.js";
import { Dates, firstMissing, pausedHours } from "./slots.js";

/** @typedef {import("./policy.js").Policy} Policy */
/** @typedef {import("./leaves.js").Leaf} Leaf */
/** @typedef {import("./note.js").Checkpoint} Checkpoint */
/** @typedef {{ index: number, leaf: Leaf, hash: Uint8Array }} Shown */
/** @typedef {{ live: number, late: number, undated: number, missed: number, unopened: number, paused: number }} Counts */
/**
 * @typedef {object} Bundle
 * @property {string} signal
 * @property {string} checkpoint
 * @property {string[]} dating
 * @property {number[]} known
 * @property {[number, string][]} leaves
 * @property {string} proof
 * @property {[number, string, string][]} openings
 * @property {Record<string, string>} images
 * @property {number | null} since
 * @property {number | null} until
 * @property {{ policy: string, url: string }} hints
 */
/** @typedef {{ policy: Policy, now: number, maxAge: number | null, liveDeadline: number }} Terms seconds */

export const FORMAT = "signalbox-evidence/v1";
export const LIVE_DEADLINE = 600;
export const MAX_AGE = 24 * 3600;
const SKEW = 300;
const PREFIX = utf8("fc-commit/v1\0");
const SALT_BYTES = 32;

/** @returns {Counts} */
const none = () => ({ live: 0, late: 0, undated: 0, missed: 0, unopened: 0, paused: 0 });

/** @param {string} text @returns {Bundle} */
export function parseBundle(text) {
  const bad = () => new Fault("malformed", "this is no evidence bundle, or it is cut off; download it again");
  let said;
  try {
    said = JSON.parse(text);
  } catch {
    throw bad();
  }
  const index = (/** @type {unknown} */ value) => Number.isSafeInteger(value) && Number(value) >= 0;
  const string = (/** @type {unknown} */ value) => typeof value === "string";
  const list = (/** @type {(value: any) => boolean} */ each) => (/** @type {unknown} */ value) =>
    Array.isArray(value) && value.every(each);
  const row = (/** @type {((value: unknown) => boolean)[]} */ ...columns) => (/** @type {unknown} */ value) =>
    Array.isArray(value) && value.length === columns.length && columns.every((fits, at) => fits(value[at]));
  const strings = (/** @type {unknown} */ value) =>
    typeof value === "object" && value !== null && !Array.isArray(value) && Object.values(value).every(string);
  const instant = (/** @type {unknown} */ value) => value === null || index(value);
  /** @type {Record<string, [(value: any) => boolean, unknown]>} */
  const fields = {
    format: [(value) => value === FORMAT, FORMAT], signal: [string, undefined],
    checkpoint: [string, undefined], dating: [list(string), []], known: [list(index), []],
    leaves: [list(row(index, string)), undefined], proof: [string, undefined],
    openings: [list(row(index, string, string)), []], images: [strings, {}],
    since: [instant, null], until: [instant, null], hints: [strings, { policy: "", url: "" }],
  };
  if (typeof said !== "object" || said === null || Array.isArray(said)) throw bad();
  if (Object.keys(said).some((name) => !Object.hasOwn(fields, name))) throw bad();
  for (const [name, [fits, otherwise]] of Object.entries(fields)) {
    if (!Object.hasOwn(said, name)) said[name] = otherwise;
    if (!fits(said[name])) throw bad();
  }
  return said;
}

/**
 * @param {Bundle} bundle @param {Terms} terms
 * @throws {Fault} the first thing that does not hold
 */
export async function verifyBundle(bundle, terms) {
  const { checkpoint, reachedAt } = await openEvidence(bundle.checkpoint, terms.policy);
  checkFreshness(reachedAt, terms);
  const shown = await readLeaves(bundle);
  const notes = bundle.dating.map(parseNote);
  const dating = notes.map((note) => parseCheckpoint(note.text));
  const olderRoots = await prove(bundle, checkpoint, shown, dating);
  const state = readInOrder(bundle, shown);
  const dates = await date(terms.policy, dating, notes, checkpoint, reachedAt);
  const opened = await open(bundle, shown);
  checkImages(bundle, state);
  const versions = countSlots(shown, dates, opened, terms);
  checkComplete(bundle, state, dates, reachedAt, versions);
  const slots = shown.filter((one) => hasSlot(one.leaf)).map((one) => one.leaf.slot);
  return {
    signal: bundle.signal, checkpoint, trust: summary(terms.policy), datedAt: reachedAt,
    leaves: shown.length, olderRoots, since: bundle.since, until: bundle.until,
    firstSlot: slots.reduce((low, slot) => Math.min(low, slot), Infinity),
    lastSlot: slots.reduce((high, slot) => Math.max(high, slot), -Infinity),
    versions, total: total(versions),
  };
}

/** @param {number | null} dated @param {Terms} terms */
function checkFreshness(dated, { now, maxAge }) {
  if (dated === null) {
    if (maxAge === null) return;
    throw new Fault("stale", "your policy asks for no quorum, so nothing says how old this is");
  }
  if (dated > now + SKEW) throw new Fault("future", `the checkpoint is dated ahead, ${spell(dated)}`);
  if (maxAge !== null && dated < now - maxAge) {
    throw new Fault("stale", `the checkpoint is of ${spell(dated)}, older than is accepted: download it again`);
  }
}

/** @param {Bundle} bundle @returns {Promise<Shown[]>} */
async function readLeaves(bundle) {
  let last = -1;
  const read = bundle.leaves.map(([index, body]) => {
    const leaf = parseLeaf(index, body);
    if (leaf.sig !== bundle.signal) {
      throw new Fault("leaf", `leaf ${index} is of ${leaf.sig}, not ${bundle.signal}`);
    }
    if (index <= last) throw new Fault("leaf", `leaf ${index} stands after ${last}`);
    last = index;
    return { index, leaf, body };
  });
  if (read.length === 0) throw new Fault("leaf", `the bundle shows no leaf of ${bundle.signal}`);
  return Promise.all(read.map(async ({ index, leaf, body }) =>
    ({ index, leaf, hash: await leafHash(utf8(body)) })));
}

/** @param {Bundle} bundle @param {Checkpoint} head @param {Shown[]} shown @param {Checkpoint[]} dating */
async function prove(bundle, head, shown, dating) {
  for (const older of dating) {
    if (older.origin !== head.origin) {
      throw new Fault("log", `a checkpoint of log ${older.origin} dates leaves`);
    }
  }
  const proof = fromBase64(bundle.proof);
  if (!proof || proof.length % HASH_BYTES) throw new Fault("malformed", "the bundle's proof is cut off");
  const hashes = new Map(shown.map((one) => [one.index, one.hash]));
  const sizes = [...dating.map((older) => older.size), ...bundle.known];
  const roots = await verifyMultiproof(head.size, head.root, hashes, sizes, proof);
  for (const older of dating) {
    if (!equal(/** @type {Uint8Array} */ (roots.get(older.size)), older.root)) {
      throw new Fault("consistency", `the checkpoint of size ${older.size} is of another history`);
    }
  }
  return new Map(bundle.known.map((size) => [size, /** @type {Uint8Array} */ (roots.get(size))]));
}

/** @param {Bundle} bundle @param {Shown[]} shown */
function readInOrder(bundle, shown) {
  const state = new SignalState();
  let isBeginning = bundle.since !== null;
  for (const { index, leaf, hash } of shown) {
    if (isBeginning && leaf.seq > state.seq + 1) state.standAlone(index, leaf, hash);
    else state.take(index, leaf, hash);
    isBeginning = isBeginning && !hasSlot(leaf);
  }
  return state;
}

/**
 * @param {Policy} policy @param {Checkpoint[]} dating @param {import("./note.js").Note[]} notes
 * @param {Checkpoint} head @param {number | null} reachedAt
 */
async function date(policy, dating, notes, head, reachedAt) {
  const found = await Promise.all(notes.map((note) => quorumTime(policy, note)));
  const times = new Map();
  dating.forEach((older, at) => {
    const time = found[at].reachedAt;
    if (time) times.set(older.size, time);
  });
  if (reachedAt !== null) times.set(head.size, reachedAt);
  return new Dates(times);
}

/** Indices of the forecasts that were opened. @param {Bundle} bundle @param {Shown[]} shown */
async function open(bundle, shown) {
  const forecasts = new Map(shown.filter((one) => one.leaf.kind === "forecast/v1")
    .map((one) => [one.index, one.leaf]));
  const results = await Promise.all(bundle.openings.map(async ([index, salt, payload]) => {
    const leaf = forecasts.get(index);
    return { index, leaf, holds: leaf ? await opens(leaf, salt, payload) : false };
  }));
  for (const { index, leaf, holds } of results) {
    if (!leaf) throw new Fault("commitment", `leaf ${index} is no forecast, but is opened`);
    if (!holds) {
      throw new Fault("commitment", `leaf ${index} did not commit to the forecasts shown for ${spell(leaf.slot)}`);
    }
  }
  return new Set(results.map(({ index }) => index));
}

/** @param {Leaf} leaf @param {string} saltText @param {string} payload */
async function opens(leaf, saltText, payload) {
  const salt = fromBase64(saltText);
  if (!salt || salt.length !== SALT_BYTES) return false;
  const name = utf8(leaf.sig);
  const told = await sha256(concat(
    PREFIX, salt, unsigned(name.length, 2), name, unsigned(leaf.slot, 8), utf8(payload)));
  return hex(told) === leaf.c;
}

/** @param {Bundle} bundle @param {SignalState} state */
function checkImages(bundle, state) {
  for (const [name, image] of Object.entries(bundle.images)) {
    const logged = state.versions.get(name)?.img ?? "no version leaf";
    if (logged !== image) {
      throw new Fault("image", `${name} is said to run ${image}; logged is ${logged}`);
    }
  }
}

/** @param {Shown[]} shown @param {Dates} dates @param {Set<number>} opened @param {Terms} terms */
function countSlots(shown, dates, opened, { liveDeadline }) {
  /** @type {Map<string, Counts>} */
  const versions = new Map();
  for (const { index, leaf } of shown.filter((one) => hasSlot(one.leaf))) {
    if (!versions.has(leaf.ver)) versions.set(leaf.ver, none());
    const counts = /** @type {Counts} */ (versions.get(leaf.ver));
    if (leaf.kind === "missed/v1") {
      counts.missed += 1;
      continue;
    }
    const dated = dates.of(index);
    if (dated === null) counts.undated += 1;
    else if (dated <= leaf.slot + liveDeadline) counts.live += 1;
    else counts.late += 1;
    if (!opened.has(index)) counts.unopened += 1;
  }
  return versions;
}

/**
 * @param {Bundle} bundle @param {SignalState} state @param {Dates} dates
 * @param {number | null} reachedAt @param {Map<string, Counts>} versions
 */
function checkComplete(bundle, state, dates, reachedAt, versions) {
  for (const [name, version] of state.versions) {
    const missing = firstMissing(version, dates, reachedAt, bundle.since ?? 0, bundle.until ?? Infinity);
    if (missing !== null) {
      throw new Fault("gap", `${bundle.signal}@${name} owed a leaf for ${spell(missing)} and shows none`);
    }
    if (!versions.has(name)) versions.set(name, none());
    /** @type {Counts} */ (versions.get(name)).paused = pausedHours(version);
  }
}

/** @param {Map<string, Counts>} versions */
function total(versions) {
  const sum = none();
  for (const counts of versions.values()) {
    for (const name of /** @type {(keyof Counts)[]} */ (Object.keys(sum))) sum[name] += counts[name];
  }
  return sum;
}
