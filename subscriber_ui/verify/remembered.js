// The last checkpoint of each log that this browser believed: as signalbox.log.remembered.
// @ts-check

import { equal } from "./bytes.js";
import { Fault } from "./fault.js";
import { parseCheckpoint, parseNote } from "./note.js";

/** @typedef {{ getItem(name: string): string | null, setItem(name: string, value: string): void }} Storage */

/** @param {string} origin */
const nameOf = (origin) => `signalbox-checkpoint ${origin}`;

/**
 * Does a verified bundle extend what was seen before? If so, remember it.
 * @param {Storage} storage
 * @param {{ checkpoint: import("./note.js").Checkpoint, olderRoots: Map<number, Uint8Array> }} report
 * @param {string} note its checkpoint
 */
export function remember(storage, report, note) {
  const seen = report.checkpoint;
  const kept = storage.getItem(nameOf(seen.origin));
  if (kept !== null) {
    const last = parseCheckpoint(parseNote(kept).text);
    if (seen.size < last.size) {
      throw conflict("rollback", `the log showed ${last.size} leaves before, and ${seen.size} now`, kept, note);
    }
    const root = seen.size === last.size ? seen.root : report.olderRoots.get(last.size);
    if (last.size > 0 && root === undefined) {
      throw new Fault("extension", `the bundle does not show that it extends the tree of ${last.size} leaves`
        + ` that you saw: download it with known=${last.size}`);
    }
    if (last.size > 0 && root !== undefined && !equal(root, last.root)) {
      throw conflict("fork", `the first ${last.size} leaves of the log are others than before`, kept, note);
    }
  }
  storage.setItem(nameOf(seen.origin), note);
}

/** @param {string} code @param {string} problem @param {string} kept @param {string} note */
function conflict(code, problem, kept, note) {
  return Object.assign(new Fault(code, problem), { notes: [kept, note] });
}
