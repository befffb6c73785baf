// @ts-check

/** Evidence does not hold. `code` is one word of docs/subscriber/verify.md. */
export class Fault extends Error {
  /** @param {string} code @param {string} problem */
  constructor(code, problem) {
    super(problem);
    this.name = "Fault";
    this.code = code;
  }
}

/** @param {number} seconds since 1970 */
export function spell(seconds) {
  return `${new Date(seconds * 1000).toISOString().slice(0, 16).replace("T", " ")} UTC`;
}
