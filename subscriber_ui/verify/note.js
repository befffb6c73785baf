// Signed notes, checkpoints and dated cosignatures, as c2sp.org writes them down.
// @ts-check

import { base64, concat, equal, fromBase64, sha256, utf8 } from "./bytes.js";
import { Fault } from "./fault.js";
import { HASH_BYTES } from "./merkle.js";

export const ED25519 = 1;
export const COSIGNATURE = 4;
const MAX_NOTE_BYTES = 64 * 1024;
const MAX_SIGNATURES = 100;
const KEY_NAME = /^[^\s+\x00-\x1f]+$/;

/** @typedef {{ name: string, keyId: Uint8Array, value: Uint8Array }} Signature */
/** @typedef {{ text: string, signatures: Signature[] }} Note */
/** @typedef {{ name: string, type: number, publicKey: Uint8Array, keyId: Uint8Array, key: CryptoKey }} Key */
/** @typedef {{ origin: string, size: number, root: Uint8Array, text: string }} Checkpoint */

/** @param {string} problem */
const malformed = (problem) => new Fault("malformed", problem);

/**
 * @param {string} whole
 * @returns {Note} neither text nor signatures are checked yet
 */
export function parseNote(whole) {
  if (utf8(whole).length > MAX_NOTE_BYTES) throw malformed("the note is too long");
  if (/[\x00-\x09\x0b-\x1f]/.test(whole)) throw malformed("the note has control characters");
  const gap = whole.lastIndexOf("\n\n");
  if (gap < 0 || !whole.endsWith("\n") || gap === whole.length - 2) {
    throw malformed("the note is cut off: no signatures after an empty line");
  }
  const lines = whole.slice(gap + 2, -1).split("\n");
  if (lines.length > MAX_SIGNATURES) throw malformed("the note has too many signatures");
  return { text: whole.slice(0, gap + 1), signatures: lines.map(parseSignature) };
}

/** @param {string} line @returns {Signature} */
function parseSignature(line) {
  const found = /^— ([^\s+]+) ([A-Za-z0-9+/]+={0,2})$/.exec(line);
  const raw = found && fromBase64(found[2]);
  if (!found || !raw || raw.length <= 4) throw malformed(`${line.slice(0, 80)} is no signature`);
  return { name: found[1], keyId: raw.subarray(0, 4), value: raw.subarray(4) };
}

/** Read a public key, a vkey. @param {string} vkey @returns {Promise<Key>} */
export async function parseKey(vkey) {
  const [name, id, ...rest] = vkey.split("+");
  const raw = fromBase64(rest.join("+"));
  if (!KEY_NAME.test(name) || !raw || raw.length !== 33 || ![ED25519, COSIGNATURE].includes(raw[0])) {
    throw malformed("a key is malformed, or of a type that is not known here");
  }
  const keyId = (await sha256(concat(utf8(`${name}\n`), raw))).subarray(0, 4);
  const told = Array.from(keyId, (byte) => byte.toString(16).padStart(2, "0")).join("");
  if (told !== id) throw malformed(`the key of ${name} does not have the id that it names`);
  const publicKey = raw.subarray(1);
  const key = await crypto.subtle.importKey("raw", publicKey, "Ed25519", false, ["verify"]);
  return { name, type: raw[0], publicKey, keyId, key };
}

/** @param {Note} note @param {Key} key */
const signaturesOf = (note, key) =>
  note.signatures.filter((one) => one.name === key.name && equal(one.keyId, key.keyId));

/** @param {string} text @returns {Checkpoint} */
export function parseCheckpoint(text) {
  const lines = text.split("\n");
  if (lines.pop() !== "" || lines.length < 3 || lines.some((line) => line === "")) {
    throw malformed("a checkpoint has three lines or more, none of them empty");
  }
  const [origin, size, root] = lines;
  if (!/^(0|[1-9][0-9]{0,15})$/.test(size) || !Number.isSafeInteger(Number(size))) {
    throw malformed(`line 2 of the checkpoint, ${size.slice(0, 30)}, is no size`);
  }
  const raw = fromBase64(root);
  if (!raw || raw.length !== HASH_BYTES) throw malformed("line 3 of the checkpoint is no root hash");
  return { origin, size: Number(size), root: raw, text };
}

/**
 * Read a checkpoint that one of these keys of the log must have signed.
 * @param {string} whole @param {Key[]} logKeys
 */
export async function openCheckpoint(whole, logKeys) {
  const note = refaulted("signature", () => parseNote(whole));
  const checkpoint = refaulted("log", () => parseCheckpoint(note.text));
  const own = logKeys.filter((key) => key.name === checkpoint.origin);
  if (own.length === 0) {
    throw new Fault("log", `the checkpoint is of log ${checkpoint.origin}, which is not yours`);
  }
  let held = 0;
  for (const key of own) {
    for (const one of signaturesOf(note, key)) {
      if (!(await isSigned(key, utf8(note.text), one.value))) {
        throw new Fault("signature", `the signature of ${key.name} does not hold`);
      }
      held += 1;
    }
  }
  if (held === 0) throw new Fault("signature", `the note is not signed by ${checkpoint.origin}`);
  return { checkpoint, note };
}

/**
 * When a key cosigned a note, the earliest of several.
 * @param {Note} note @param {Key} key
 * @returns {Promise<number | null>} seconds since 1970; null: it did not
 */
export async function cosignedAt(note, key) {
  let earliest = null;
  for (const one of signaturesOf(note, key)) {
    const fault = new Fault("signature", `the cosignature of ${key.name} does not hold`);
    if (one.value.length !== 8 + 64) throw fault;
    const time = new DataView(one.value.buffer, one.value.byteOffset).getBigUint64(0);
    const message = utf8(`cosignature/v1\ntime ${time}\n${note.text}`);
    const holds = key.type === COSIGNATURE && (await isSigned(key, message, one.value.subarray(8)));
    if (!holds || time > BigInt(Number.MAX_SAFE_INTEGER)) throw fault;
    if (earliest === null || Number(time) < earliest) earliest = Number(time);
  }
  return earliest;
}

/** @param {Key} key @param {Uint8Array} message @param {Uint8Array} signature */
function isSigned(key, message, signature) {
  return signature.length === 64 && crypto.subtle.verify("Ed25519", key.key, signature, message);
}

/**
 * @template T
 * @param {string} code
 * @param {() => T} read
 */
function refaulted(code, read) {
  try {
    return read();
  } catch (fault) {
    throw fault instanceof Fault ? new Fault(code, fault.message) : fault;
  }
}

/** @param {Uint8Array} root */
export const spellRoot = (root) => base64(root);
