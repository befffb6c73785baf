/** The link of a letter of ours, as an address of this page's own host; null: it has none. */
export function linkIn(text: string): string | null {
  return /https?:\/\/[^/\s]+(\/account\/link#[\w-]+=[\w-]+)/.exec(text)?.[1] ?? null;
}

/** What stands behind `=` in a letter's link, or the token itself; null: it is neither. */
export function tokenIn(shown: string): string | null {
  return /(?:^|=)(mt_[\w-]+)\s*$/.exec(shown.trim())?.[1] ?? null;
}
