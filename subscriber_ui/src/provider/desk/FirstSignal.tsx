import TextField from "@mui/material/TextField";
import Box from "@mui/material/Box";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";

import { now as platformNow } from "../../api/clock";
import { CopyField } from "../../elements/CopyField";
import { RouterLink } from "../../elements/RouterLink";
import { Section } from "../../elements/Section";
import { useSession } from "../../session/session";
import { apiKeys, type OwnSignal } from "../queries";
import { isName, NAME_RULE } from "../names";
import { Standing } from "./Standing";
import { Step } from "./Step";
import { seen } from "./steps";

/** From nothing to live, as docs/provider/quickstart.md teaches it. */
export function FirstSignal({ signals }: { signals: OwnSignal[] }) {
  const session = useSession();
  const keys = useQuery(apiKeys());
  const [written, setWritten] = useState("");
  const signal = signals[0];
  const isWritten = isName(written);
  const name = signal?.name ?? (isWritten ? written : "my-signal");
  const progress = seen(keys.data?.items ?? [], signal, platformNow());
  if (session.state !== "in") return null;
  const repository = `${session.me.git_url}/git/${session.me.handle}/${name}.git`;
  return (
    <Section
      title="Your first signal"
      lead="A signal is a git repository with a model in it. You push a tag; the platform builds it, proves when it answered, and runs it every hour. Steps are ticked as the platform sees them."
    >
      <Standing of={session.me.standing} />
      {signal === undefined && (
        <TextField
          label="What will it be called?"
          placeholder="my-signal"
          value={written}
          onChange={(event) => setWritten(event.target.value)}
          error={written !== "" && !isWritten}
          helperText={`${NAME_RULE}. The commands below use it.`}
          sx={{ maxWidth: 420, mb: 1 }}
        />
      )}
      <Box component="ol" sx={{ listStyle: "none", p: 0, m: 0 }}>
        <Step number={1} title="Get the kit" progress="here">
          It is a Python package: it writes, tests and pushes signals.
          <CopyField name="the command that gets the kit" text="pip install signalbox" />
        </Step>
        <Step number={2} title="Make a key and log in" progress={progress.key}>
          Make an API key with the scopes read and push under{" "}
          <RouterLink to="/settings/api-keys">API keys</RouterLink>, and give it to the kit, which
          keeps it for git too. With <code>--email</code> the kit makes one by itself.
          <CopyField name="the command that logs in" text={`signalbox login ${location.origin}`} />
        </Step>
        <Step number={3} title="Begin from a model that works" progress="here">
          <CopyField
            name="the commands that begin a signal"
            text={`signalbox init ${name}\ncd ${name}`}
          />
          In <code>signal.toml</code> stand what is forecast and its price, in <code>app.py</code>{" "}
          how.
        </Step>
        <Step number={4} title="Test it as the platform will" progress="here">
          <CopyField name="the command that tests" text="signalbox test" />
          It says whether the answer is valid, the same twice, and whether your backtest peeks.
        </Step>
        <Step number={5} title="Push a version" progress={progress.push}>
          <CopyField name="the command that pushes" text="signalbox push v0.1.0" />
          Plain git does the same, with the API key as password:
          <CopyField
            name="the git commands that push"
            text={`git remote add platform ${repository}\ngit tag v0.1.0\ngit push platform main v0.1.0`}
          />
          Pushes may be signed by an SSH key of yours:{" "}
          <RouterLink to="/settings/api-keys">Signing keys</RouterLink>.
        </Step>
        <Step number={6} title="It is created and built" progress={progress.building}>
          {signal === undefined
            ? "The first push creates the signal; you may also reserve its name before."
            : `${signal.signal} exists.`}{" "}
          Checked, locked, built and run twice in the sandbox. The terminal shows each step.
        </Step>
        <Step number={7} title="It is live" progress={progress.live}>
          From the next full hour on it is run every hour.
        </Step>
        <Step number={8} title="List it" progress={progress.listed} isLast>
          A new signal is private. Listed, it is open to subscribers.
          <CopyField name="the command that lists it" text="signalbox public" />
        </Step>
      </Box>
    </Section>
  );
}
