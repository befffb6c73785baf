import Alert from "@mui/material/Alert";
import AlertTitle from "@mui/material/AlertTitle";
import Box from "@mui/material/Box";
import Typography from "@mui/material/Typography";
import type { ReactNode } from "react";

import { CopyField } from "../../elements/CopyField";
import { Absent } from "../../elements/Figure";
import { Section } from "../../elements/Section";
import { leakInWords } from "../leaks/words";
import type { Path, Version } from "../queries";
import { adviceOn } from "./rejections";
import { StateMachine } from "./StateMachine";

/** One version: where it is in its life, why it was refused, what was built. */
export function VersionDetail({ path, version }: { path: Path; version: Version }) {
  return (
    <Section title={`${path.name} ${version.version}`}>
      <StateMachine state={version.state} />
      {version.state === "rejected" && <Rejection version={version} />}
      {version.image_digest === null ? <Unbuilt version={version} /> : <Facts version={version} />}
    </Section>
  );
}

function Rejection({ version }: { version: Version }) {
  const why = version.why ?? "No reason was recorded.";
  return (
    <Alert severity="error" variant="outlined" sx={{ mt: 2 }}>
      <AlertTitle>Not published. The one thing to mend:</AlertTitle>
      <Box component="pre" sx={{ whiteSpace: "pre-wrap", overflowWrap: "anywhere", m: 0, mb: 1 }}>
        {why}
      </Box>
      <Typography variant="body2" sx={{ mb: 1 }}>
        {adviceOn(why)}
      </Typography>
      <CopyField
        name={`the commands that push ${version.version} again`}
        text={[
          `git commit --all --message "Mend what was refused"`,
          `git tag --force ${version.version}`,
          `git push platform ${version.version}`,
        ].join("\n")}
      />
    </Alert>
  );
}

function Unbuilt({ version }: { version: Version }) {
  return (
    <Typography variant="body2" color="textSecondary" sx={{ mt: 2 }}>
      Commit <Digest of={version.commit_sha} what="commit" />.{" "}
      {version.state === "building" ? "It is being built." : "Nothing was built."}
    </Typography>
  );
}

function Facts({ version }: { version: Version }) {
  const runtime = manifestPart(version, "runtime");
  const forecast = manifestPart(version, "forecast");
  const facts: [string, ReactNode][] = [
    ["Commit", <Digest key="c" of={version.commit_sha} what="commit" />],
    ["Image", <Digest key="i" of={version.image_digest} what="image" />],
    ["Lock", <Digest key="l" of={version.lock_digest} what="lock" />],
    ["Symbols", listed(forecast["symbols"])],
    ["Horizons", listed(forecast["horizons_hours"], " h")],
    ["Limits", limits(runtime)],
    ["Deterministic", deterministic(version)],
    [
      "Leak report",
      version.leak_report === null ? (
        <Absent key="r" reason="The version was not examined." />
      ) : (
        leakInWords(version.leak_report)
      ),
    ],
    [
      "Packages",
      typeof version.scan?.["said"] === "string" ? (
        version.scan["said"]
      ) : (
        <Absent key="s" reason="Nothing was built." />
      ),
    ],
    ["Provenance", version.is_signed ? "signed by the platform" : "not signed"],
  ];
  return (
    <Box
      component="dl"
      sx={{
        m: 0,
        mt: 2,
        display: "grid",
        gridTemplateColumns: { xs: "1fr", sm: "130px 1fr", lg: "130px 1fr 130px 1fr" },
        columnGap: 2,
        rowGap: { xs: 0, sm: 0.75 },
        "& dt": { color: "text.secondary", fontSize: "0.82rem" },
        "& dd": {
          m: 0,
          mb: { xs: 1, sm: 0 },
          fontSize: "0.85rem",
          minWidth: 0,
          overflowWrap: "anywhere",
        },
      }}
    >
      {facts.flatMap(([label, value]) => [
        <dt key={label}>{label}</dt>,
        <dd key={`${label} value`}>{value}</dd>,
      ])}
    </Box>
  );
}

function Digest({ of, what }: { of: string | null; what: string }) {
  if (of === null) return <Absent reason={`There is no ${what}: nothing was built yet.`} />;
  return <code title={of}>{of.replace(/^(sha256:)?(.{12}).*$/, "$1$2…")}</code>;
}

function manifestPart(version: Version, part: string): Record<string, unknown> {
  const found = version.manifest?.[part];
  return typeof found === "object" && found !== null ? (found as Record<string, unknown>) : {};
}

function listed(value: unknown, unit = ""): ReactNode {
  return Array.isArray(value) ? (
    value.join(", ") + unit
  ) : (
    <Absent reason="The manifest was not read." />
  );
}

function limits(runtime: Record<string, unknown>): ReactNode {
  const { timeout_seconds: seconds, memory_mb: memory } = runtime;
  return typeof seconds === "number" && typeof memory === "number" ? (
    `${seconds} s an hour's answer, ${memory} MB`
  ) : (
    <Absent reason="The manifest was not read." />
  );
}

function deterministic(version: Version): ReactNode {
  if (version.deterministic === null) return <Absent reason="The version was not examined." />;
  return version.deterministic
    ? "yes: two fresh runs gave the same bytes"
    : "no: two fresh runs of one hour differed";
}
