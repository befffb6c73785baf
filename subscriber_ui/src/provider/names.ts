/** What a signal may be called (docs/provider/manifest.md); the API applies the same rule. */

export const NAME_RULE = "3 to 40 of a-z, 0-9 and -, beginning with a letter";

const NAME = /^[a-z][a-z0-9-]{1,38}[a-z0-9]$/;

export function isName(text: string): boolean {
  return NAME.test(text);
}
