// Whom to believe: a policy file as in c2sp.org/tlog-policy.
// @ts-check

import { equal } from "./bytes.js";
import { Fault } from "./fault.js";
import { COSIGNATURE, ED25519, cosignedAt, openCheckpoint, parseKey } from "./note.js";

/** @typedef {import("./note.js").Key} Key */
/** @typedef {import("./note.js").Note} Note */
/** @typedef {{ threshold: number, members: string[] }} Group */
/** @typedef {{ logs: Key[], witnesses: Map<string, Key>, groups: Map<string, Group>, quorum: string }} Policy */

const NONE = "none";

/** @param {string} text @returns {Promise<Policy>} */
export async function parsePolicy(text) {
  /** @type {Policy} */
  const policy = { logs: [], witnesses: new Map(), groups: new Map(), quorum: "" };
  const grouped = new Set();
  for (const [at, line] of text.split("\n").entries()) {
    const words = line.trim().split(/[ \t]+/);
    if (words[0] === "" || words[0].startsWith("#")) continue;
    try {
      await take(policy, grouped, words);
    } catch (fault) {
      if (!(fault instanceof Fault)) throw fault;
      throw new Fault("policy", `policy, line ${at + 1}: ${fault.message}`);
    }
  }
  if (policy.logs.length === 0) throw new Fault("policy", "the policy names no log");
  if (policy.quorum === "") throw new Fault("policy", "the policy has no quorum");
  return policy;
}

/** @param {Policy} policy @param {Set<string>} grouped @param {string[]} words */
async function take(policy, grouped, words) {
  const [what, name, ...rest] = words;
  const bad = (/** @type {string} */ problem) => new Fault("policy", problem);
  const isKnown = (/** @type {string} */ one) => policy.witnesses.has(one) || policy.groups.has(one);
  if (what === "log" && name && rest.length <= 1) {
    policy.logs.push(await keyOf(name, ED25519, policy.logs));
  } else if (what === "witness" && rest.length >= 1 && rest.length <= 2) {
    if (isKnown(name) || name === NONE) throw bad(`the name ${name} is taken`);
    policy.witnesses.set(name, await keyOf(rest[0], COSIGNATURE, [...policy.witnesses.values()]));
  } else if (what === "group" && rest.length >= 2) {
    if (isKnown(name) || name === NONE) throw bad(`the name ${name} is taken`);
    const [told, ...members] = rest;
    for (const one of members) {
      if (!isKnown(one)) throw bad(`${one} is no witness or group of a line above`);
      if (grouped.has(one)) throw bad(`${one} is a member of a group already`);
      grouped.add(one);
    }
    const number = /^[1-9][0-9]{0,3}$/.test(told) ? Number(told) : 0;
    const threshold = told === "all" ? members.length : told === "any" ? 1 : number;
    if (threshold < 1 || threshold > members.length) throw bad(`${told} is no threshold here`);
    policy.groups.set(name, { threshold, members });
  } else if (what === "quorum" && name && rest.length === 0 && policy.quorum === "") {
    if (name !== NONE && !isKnown(name)) throw bad(`${name} is no witness or group of a line above`);
    policy.quorum = name;
  } else {
    throw bad(`${words.join(" ").slice(0, 80)} is no line of a policy`);
  }
}

/** @param {string} vkey @param {number} type @param {Key[]} others */
async function keyOf(vkey, type, others) {
  const key = await parseKey(vkey);
  if (key.type !== type) throw new Fault("policy", `the key of ${key.name} is of another type`);
  if (others.some((one) => equal(one.publicKey, key.publicKey))) {
    throw new Fault("policy", `the key of ${key.name} stands there twice`);
  }
  return key;
}

/**
 * When a quorum was reached: of a group that asks for k, the k-th of its members' times.
 * @param {Policy} policy
 * @param {Map<string, number>} times of witnesses, by name
 * @returns {number | null} seconds since 1970
 */
export function reached(policy, times, name = policy.quorum) {
  const group = policy.groups.get(name);
  if (!group) return times.get(name) ?? null;
  const known = group.members
    .map((one) => reached(policy, times, one))
    .filter((time) => time !== null)
    .sort((left, right) => Number(left) - Number(right));
  return known[group.threshold - 1] ?? null;
}

/** @param {Policy} policy @param {Note} note */
export async function quorumTime(policy, note) {
  const times = new Map();
  for (const [name, key] of policy.witnesses) {
    const time = await cosignedAt(note, key);
    if (time !== null) times.set(name, time);
  }
  return { times, reachedAt: reached(policy, times) };
}

/**
 * Read a checkpoint, and check every signature of it that the policy knows.
 * @param {string} whole @param {Policy} policy
 */
export async function openEvidence(whole, policy) {
  const { checkpoint, note } = await openCheckpoint(whole, policy.logs);
  const { times, reachedAt } = await quorumTime(policy, note);
  if (reachedAt === null && policy.quorum !== NONE) {
    const told = [...times.keys()].join(", ") || "nobody that your policy knows";
    throw new Fault("quorum", `the checkpoint lacks its quorum ${policy.quorum}: cosigned by ${told}`);
  }
  return { checkpoint, reachedAt };
}

/** What the quorum is worth, for people. @param {Policy} policy */
export function summary(policy) {
  const names = independent(policy, policy.quorum);
  if (names.length === 0) {
    return "the log's own key alone: nobody else vouches that everybody is shown the same log, or when";
  }
  const monitors = policy.groups.get("monitors")?.members ?? [];
  const watching = names.filter((name) => monitors.includes(name));
  const told = `${names.length} cosigners beside the log (${names.join(", ")})`;
  return watching.length ? `${told}, of whom ${watching.join(", ")} read every leaf` : told;
}

/** @param {Policy} policy @param {string} name @returns {string[]} */
function independent(policy, name) {
  const group = policy.groups.get(name);
  if (group) return group.members.flatMap((one) => independent(policy, one));
  const key = policy.witnesses.get(name);
  return key && !policy.logs.some((log) => equal(log.publicKey, key.publicKey)) ? [name] : [];
}
