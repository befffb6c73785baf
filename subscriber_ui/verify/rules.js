// The rules that the leaves of one signal keep, read in order: as signalbox.log.rules.
// @ts-check

import { hex } from "./bytes.js";
import { Fault } from "./fault.js";
import { HOUR } from "./leaves.js";

/** @typedef {import("./leaves.js").Leaf} Leaf */
/** @typedef {{ after: number | null, offline: number, live: number | null }} Pause */
/** @typedef {{ leaf: number, img: string, state: string, taken: [number, number][], pauses: Pause[], ended: number | null }} Version */

export class SignalState {
  constructor() {
    this.seq = -1;
    this.prev = "";
    /** @type {Map<string, Version>} */
    this.versions = new Map();
  }

  /** Read the signal's next leaf. @param {number} index @param {Leaf} leaf @param {Uint8Array} hash */
  take(index, leaf, hash) {
    if (leaf.seq !== this.seq + 1) {
      throw new Fault("chain", `leaf ${index} is number ${leaf.seq} of ${leaf.sig}, after ${this.seq}`);
    }
    if (leaf.prev !== this.prev) {
      throw new Fault("chain", `leaf ${index} does not name number ${this.seq} as the last`);
    }
    if (leaf.kind === "version/v1") this.#publish(index, leaf);
    else if (leaf.kind === "audit/v1" && leaf.leaf >= index) {
      throw new Fault("version", `leaf ${index} audits leaf ${leaf.leaf}, after it`);
    } else if (leaf.ver !== undefined) this.#continue(index, leaf);
    this.seq = leaf.seq;
    this.prev = hex(hash);
  }

  /** Read a leaf whose predecessor is not shown. @param {number} index @param {Leaf} leaf @param {Uint8Array} hash */
  standAlone(index, leaf, hash) {
    this.seq = leaf.seq - 1;
    this.prev = leaf.prev;
    this.take(index, leaf, hash);
  }

  /** @param {number} index @param {Leaf} leaf */
  #publish(index, leaf) {
    if (this.versions.has(leaf.ver)) {
      throw new Fault("version", `leaf ${index} publishes ${leaf.sig}@${leaf.ver} again`);
    }
    this.versions.set(leaf.ver, {
      leaf: index, img: leaf.img, state: "live", taken: [], pauses: [], ended: null,
    });
  }

  /** @param {number} index @param {Leaf} leaf */
  #continue(index, leaf) {
    const label = `${leaf.sig}@${leaf.ver}`;
    const version = this.versions.get(leaf.ver);
    if (!version) throw new Fault("version", `leaf ${index} is of ${label}, which has no version leaf`);
    if (version.state === "retired") {
      throw new Fault("state", `leaf ${index} is of ${label}, which was retired before`);
    }
    if (leaf.kind === "forecast/v1" && (leaf.vl !== version.leaf || leaf.img !== version.img)) {
      throw new Fault("image", `leaf ${index} ran ${leaf.img}, but ${label} is ${version.img}`);
    }
    if (leaf.slot !== undefined) {
      if (!claim(version, leaf.slot)) {
        throw new Fault("twice", `leaf ${index} is the second of ${label} at slot ${leaf.slot}`);
      }
    } else move(index, leaf, version);
  }
}

/** @param {number} index @param {Leaf} leaf @param {Version} version */
function move(index, leaf, version) {
  if (leaf.kind === "retired/v1") {
    version.state = "retired";
    version.ended = index;
  } else if (leaf.kind === "offline/v1" && version.state === "live") {
    version.state = "offline";
    version.pauses.push({ after: version.taken.at(-1)?.[1] ?? null, offline: index, live: null });
  } else if (leaf.kind === "live/v1" && version.state === "offline") {
    version.state = "live";
    /** @type {Pause} */ (version.pauses.at(-1)).live = index;
  } else {
    throw new Fault("state", `leaf ${index}: ${leaf.sig}@${leaf.ver} is ${version.state}`);
  }
}

/** Note that a slot has its leaf; false if it had one. @param {Version} version @param {number} slot */
function claim(version, slot) {
  let place = version.taken.length;
  while (place > 0 && version.taken[place - 1][0] > slot) place -= 1;
  let [start, end] = [slot, slot + HOUR];
  if (place && version.taken[place - 1][1] > slot) return false;
  if (place < version.taken.length && version.taken[place][0] === end) {
    end = version.taken.splice(place, 1)[0][1];
  }
  if (place && version.taken[place - 1][1] === start) {
    place -= 1;
    start = version.taken.splice(place, 1)[0][0];
  }
  version.taken.splice(place, 0, [start, end]);
  return true;
}
