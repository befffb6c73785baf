/** What to do about a refused push, by what it was refused for (docs/provider/errors.md). */

const ADVICE: [RegExp, string][] = [
  [/^platform failure/, "It was the platform, not your push: push again."],
  [/went away|ended before it was built/, "The push was broken off: push again."],
  [/^signal\.toml/, "Mend that field of signal.toml; signalbox check applies the same rules."],
  [
    /^requirements\.txt/,
    "Mend that line: one package a line, with specifiers only, from wheels. signalbox check reads it the same way.",
  ],
  [/wheel|resolve|requirement/i, "Ask for versions that have wheels for Python 3.11."],
  [/no valid forecast|app\.py/, "Run signalbox test: it runs the model as the platform does."],
  [/is not greater than/, "Tag a greater version than the last that was published."],
  [/not on main/, "Push main first, or both together."],
  [
    /lost its reservation|already reserved|is being built/,
    "Wait for the other push to end, then push again.",
  ],
];

const ELSE = "Mend it, move your own tag with git tag --force, and push again.";

export function adviceOn(why: string): string {
  const found = ADVICE.find(([pattern]) => pattern.test(why));
  return found === undefined ? ELSE : found[1];
}
