import type { Version } from "../queries";

/** The version that was pushed last, which need not be the greatest. */
export function newestPush(versions: Version[]): Version | undefined {
  return versions.reduce<Version | undefined>(
    (newest, each) =>
      newest === undefined || Date.parse(each.reserved_at) > Date.parse(newest.reserved_at)
        ? each
        : newest,
    undefined,
  );
}
