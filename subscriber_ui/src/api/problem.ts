import type { components } from "./schema";

type Details = components["schemas"]["ProblemDetails"];

/** The API refused: its problem details (RFC 9457), or that it could not be reached. */
export class ProblemError extends Error {
  readonly code: string;
  readonly status: number;
  readonly title: string;
  readonly fields: Readonly<Record<string, string>>;

  constructor(details: Pick<Details, "code" | "status" | "title" | "detail"> & Partial<Details>) {
    super(details.detail);
    this.name = "ProblemError";
    this.code = details.code;
    this.status = details.status;
    this.title = details.title;
    this.fields = Object.fromEntries(
      (details.errors ?? []).map((error) => [error.field, error.message]),
    );
  }
}

/** What the API, or whatever stands before it, answered instead of an answer. */
export function problemOf(body: unknown, status: number): ProblemError {
  if (isDetails(body)) return new ProblemError(body);
  return new ProblemError({
    code: "unexpected_answer",
    status,
    title: "Unexpected answer",
    detail: `The server answered ${status} without saying why. Try again in a moment.`,
  });
}

export function unreachable(): ProblemError {
  return new ProblemError({
    code: "unreachable",
    status: 0,
    title: "No connection",
    detail: "The server could not be reached. Check your connection and try again.",
  });
}

function isDetails(body: unknown): body is Details {
  return typeof body === "object" && body !== null && "code" in body && "detail" in body;
}
