// Merkle trees as in RFC 6962, and one list of hashes that proves many leaves and older trees.
// The walk is that of signalbox.log.multiproof: left before right, down to what must be known.
// @ts-check

import { concat, equal, sha256 } from "./bytes.js";
import { Fault } from "./fault.js";

const LEAF = Uint8Array.of(0);
const NODE = Uint8Array.of(1);
export const HASH_BYTES = 32;

/** @param {Uint8Array} body */
export const leafHash = (body) => sha256(concat(LEAF, body));

/** @param {Uint8Array} left @param {Uint8Array} right */
export const nodeHash = (left, right) => sha256(concat(NODE, left, right));

/** The largest power of two below a width of at least 2. @param {number} width */
function split(width) {
  let half = 1;
  while (half * 2 < width) half *= 2;
  return half;
}

/**
 * First place in [from, to) of a rising list whose value is at least (or above) a bound.
 * @param {number[]} list @param {number} bound @param {number} from @param {number} to
 * @param {boolean} above
 */
function place(list, bound, from, to, above) {
  while (from < to) {
    const middle = (from + to) >>> 1;
    if (above ? list[middle] <= bound : list[middle] < bound) from = middle + 1;
    else to = middle;
  }
  return from;
}

/**
 * Check that leaves stand in a tree.
 * @param {number} size of the tree
 * @param {Uint8Array} root trusted
 * @param {Map<number, Uint8Array>} leaves hashes by index
 * @param {number[]} sizes of older trees
 * @param {Uint8Array} proof concatenated hashes
 * @returns {Promise<Map<number, Uint8Array>>} the root of each older tree
 */
export async function verifyMultiproof(size, root, leaves, sizes, proof) {
  const indices = [...leaves.keys()].sort((left, right) => left - right);
  const ends = [...new Set(sizes)].sort((left, right) => left - right);
  if (indices.length && (indices[0] < 0 || indices[indices.length - 1] >= size)) {
    throw new Fault("inclusion", `a leaf lies outside the tree of ${size} leaves`);
  }
  if (ends.length && (ends[0] < 0 || ends[ends.length - 1] > size)) {
    throw new Fault("inclusion", `an older tree is larger than that of ${size} leaves`);
  }
  /** @type {Map<number, Promise<Uint8Array>>} */
  const roots = new Map();
  let used = 0;

  const next = () => {
    const hash = proof.subarray(used * HASH_BYTES, (used + 1) * HASH_BYTES);
    if (hash.length < HASH_BYTES) throw new Fault("inclusion", "the proof ends too early");
    used += 1;
    return Promise.resolve(hash);
  };

  /**
   * Runs through the tree at once, so that the list is used in order; hashing follows.
   * @param {number} start @param {number} end
   * @param {number} leafFrom @param {number} leafTo @param {number} endFrom @param {number} endTo
   * @returns {Promise<Uint8Array>}
   */
  const join = (start, end, leafFrom, leafTo, endFrom, endTo) => {
    if (leafFrom === leafTo && endFrom === endTo) return next();
    if (end - start === 1) return Promise.resolve(/** @type {Uint8Array} */ (leaves.get(start)));
    const middle = start + split(end - start);
    const leaf = place(indices, middle, leafFrom, leafTo, false);
    const before = place(ends, middle, endFrom, endTo, false);
    const after = place(ends, middle, endFrom, endTo, true);
    const left = join(start, middle, leafFrom, leaf, endFrom, before);
    const right = join(middle, end, leaf, leafTo, after, endTo);
    if (before < after) roots.set(middle, left);
    for (const older of ends.slice(after, endTo)) {
      const inner = /** @type {Promise<Uint8Array>} */ (roots.get(older));
      roots.set(older, Promise.all([left, inner]).then(([a, b]) => nodeHash(a, b)));
    }
    return Promise.all([left, right]).then(([a, b]) => nodeHash(a, b));
  };

  const empty = await sha256(new Uint8Array());
  const found = size
    ? join(0, size, 0, indices.length, place(ends, 0, 0, ends.length, true),
        place(ends, size, 0, ends.length, false))
    : Promise.resolve(empty);
  if (used * HASH_BYTES !== proof.length) {
    throw new Fault("inclusion", `the proof has more than the ${used} hashes that are needed`);
  }
  if (!equal(await found, root)) {
    throw new Fault("inclusion", `the leaves are not in the tree of ${size} leaves with this root`);
  }
  roots.set(0, Promise.resolve(empty)).set(size, Promise.resolve(root));
  const known = new Map();
  for (const end of ends) known.set(end, await roots.get(end));
  return known;
}
