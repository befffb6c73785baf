/**
 * Who is signed in.
 *
 * The access token lives in this page's memory; the refresh token in a cookie that no script
 * can read. A refresh token is good once, so tabs take turns (Web Locks).
 */

import { useSyncExternalStore } from "react";

import { authorizeBy, type Schemas } from "../api/client";
import { ProblemError, problemOf, unreachable } from "../api/problem";

export type Me = Schemas["Me"];
export type Session = { state: "unknown" } | { state: "out" } | { state: "in"; me: Me };

interface Token {
  value: string;
  endsAt: number;
}

const MARK = "signalbox.signed-in"; // spares strangers a refused refresh
const EARLY_MS = 30_000;

let session: Session = { state: "unknown" };
let token: Token | null = null;
let restoring: Promise<void> | null = null;
let turn: Promise<unknown> = Promise.resolve();
const listeners = new Set<() => void>();

export function useSession(): Session {
  return useSyncExternalStore(subscribe, () => session);
}

/** Whoever is signed in; null: nobody. Known once `restored` has resolved. */
export function me(): Me | null {
  return session.state === "in" ? session.me : null;
}

/** Resolves when it is known whether somebody is signed in. */
export function restored(): Promise<void> {
  restoring ??= restore();
  return restoring;
}

/**
 * Log in.
 * @throws ProblemError what the API refused, `totp_required` included.
 */
export async function signIn(email: string, password: string, totp?: string): Promise<void> {
  const body = { email, password, totp: totp ?? null, keep: "cookie" };
  accept((await post("/v1/auth/login", body)) as Schemas["SignedIn"]);
  mark();
  await learnMe();
}

/**
 * Make an account, and be signed in to it.
 * @throws ProblemError what the API refused.
 */
export async function signUp(who: Omit<Schemas["Registration"], "keep">): Promise<void> {
  accept((await post("/v1/auth/register", { ...who, keep: "cookie" })) as Schemas["SignedIn"]);
  mark();
  await learnMe();
}

export async function signOut(): Promise<void> {
  try {
    await post("/v1/auth/logout", {});
  } finally {
    forget();
  }
}

/** This page forgets who was signed in; the server was told by whoever calls. */
export function forget(): void {
  localStorage.removeItem(MARK);
  token = null;
  become(null);
}

/** Ask again who I am, after something about me changed. */
export async function learnMe(): Promise<void> {
  const response = await fetch("/v1/auth/me", {
    headers: { Authorization: `Bearer ${token?.value ?? ""}` },
  });
  if (!response.ok) throw problemOf(await body(response), response.status);
  become((await response.json()) as Me);
}

async function credential(stale?: string): Promise<string | null> {
  await restored();
  if (token === null) return null;
  if (token.value !== stale && token.endsAt - EARLY_MS > Date.now()) return token.value;
  return refresh(token.value);
}

async function restore(): Promise<void> {
  if (localStorage.getItem(MARK) === null) {
    become(null);
    return;
  }
  try {
    if ((await refresh(null)) === null) become(null);
    else await learnMe();
  } catch {
    become(null); // unreachable: the pages say so themselves
  }
}

/** A newer token than `known`; null: the session is over. */
async function refresh(known: string | null): Promise<string | null> {
  return oneAtATime(async () => {
    const current = token; // another call of this tab may have been first
    if (current !== null && current.value !== known) return current.value;
    try {
      accept((await post("/v1/auth/refresh", {})) as Schemas["Tokens"]);
    } catch (error) {
      if (!(error instanceof ProblemError && error.status === 401)) throw error;
      forget();
    }
    return token?.value ?? null;
  });
}

function oneAtATime<Result>(task: () => Promise<Result>): Promise<Result> {
  // Browsers have locks between tabs on https and on this machine only.
  const locks = navigator.locks as LockManager | null | undefined;
  if (locks) return locks.request("signalbox.refresh", task);
  const mine = turn.then(task);
  turn = mine.catch(() => undefined);
  return mine;
}

/** Tells the other tabs as well: each mark is another. */
function mark(): void {
  localStorage.setItem(MARK, String(Date.now()));
}

function accept(tokens: { access_token: string; expires_in: number }): void {
  token = { value: tokens.access_token, endsAt: Date.now() + tokens.expires_in * 1000 };
}

function become(person: Me | null): void {
  session = person === null ? { state: "out" } : { state: "in", me: person };
  for (const listener of listeners) listener();
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

async function post(path: string, content: object): Promise<unknown> {
  let response: Response;
  try {
    response = await fetch(path, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify(content),
    });
  } catch {
    throw unreachable();
  }
  const answered = await body(response);
  if (!response.ok) throw problemOf(answered, response.status);
  return answered;
}

async function body(response: Response): Promise<unknown> {
  try {
    return await response.json();
  } catch {
    return null;
  }
}

authorizeBy(credential);
globalThis.addEventListener("storage", (event) => {
  // Another tab logged out, or in as somebody: this one follows.
  if (event.key === MARK) globalThis.location.reload();
});
