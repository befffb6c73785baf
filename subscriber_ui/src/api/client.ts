/** The API, typed by its own document. Every call carries the access token while there is one. */

import createClient from "openapi-fetch";

import { learnClock } from "./clock";
import { problemOf, unreachable } from "./problem";
import type { components, paths } from "./schema";

export type Schemas = components["schemas"];

/** Gives the access token; `stale` is one that was just refused. */
export type Credential = (stale?: string) => Promise<string | null>;

let credential: Credential = () => Promise.resolve(null);

export function authorizeBy(by: Credential): void {
  credential = by;
}

/** `fetch` with the access token, once more with a new one where it was refused. */
export async function authorizedFetch(request: Request): Promise<Response> {
  const again = request.clone();
  const token = await credential();
  const response = await send(request, token);
  if (response.status !== 401 || token === null) return response;
  const newer = await credential(token);
  return newer === null ? response : send(again, newer);
}

async function send(request: Request, token: string | null): Promise<Response> {
  if (token !== null) request.headers.set("Authorization", `Bearer ${token}`);
  try {
    const response = await fetch(request);
    learnClock(response.headers);
    return response;
  } catch (error) {
    if (error instanceof DOMException && error.name === "AbortError") throw error;
    throw unreachable();
  }
}

export const api = createClient<paths>({
  baseUrl: globalThis.location.origin,
  fetch: authorizedFetch,
});

/**
 * The body of a good answer.
 * @throws ProblemError what the API said instead.
 */
export async function answer<Body>(
  call: Promise<{ data?: Body; error?: unknown; response: Response }>,
): Promise<Body> {
  const { data, error, response } = await call;
  if (!response.ok) throw problemOf(error, response.status);
  return data as Body;
}
