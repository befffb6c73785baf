import Box from "@mui/material/Box";
import Link from "@mui/material/Link";
import Skeleton from "@mui/material/Skeleton";
import Typography from "@mui/material/Typography";
import { useQuery } from "@tanstack/react-query";
import { lazy, type ReactNode, Suspense } from "react";

import { Awaited } from "../elements/Awaited";
import { CopyField } from "../elements/CopyField";
import { Section } from "../elements/Section";
import { signalRoute } from "./frame";
import { checkpointQuery } from "./queries";

const VerifyPanel = lazy(async () => ({
  default: (await import("./proof/VerifyPanel")).VerifyPanel,
}));

/** What is proved, and how anybody checks it without taking our word. */
export function ProofTab() {
  const path = signalRoute.useParams();
  const signal = `${path.provider}/${path.name}`;
  const evidence = `/v1/signals/${signal}/evidence`;
  return (
    <>
      <Section
        title="Check it here"
        lead="Your browser fetches the evidence of the whole record and checks it by itself."
      >
        <Suspense fallback={<Skeleton variant="rounded" width={210} height={36} />}>
          <VerifyPanel path={path} />
        </Suspense>
        <Typography variant="body2" color="textSecondary" sx={{ mt: 2, maxWidth: 760 }}>
          This page comes from the platform that it checks, so it is only as honest as the platform.
          Where that matters use the command line below, or{" "}
          <Link href={`/verify/?bundle=${encodeURIComponent(evidence)}`}>
            the page that does nothing else
          </Link>{" "}
          with keys that you have from elsewhere.
        </Typography>
      </Section>
      <Box
        sx={{
          display: "grid",
          columnGap: 3,
          gridTemplateColumns: { xs: "minmax(0, 1fr)", lg: "repeat(2, minmax(0, 1fr))" },
        }}
      >
        <Section title="What is proved">
          <Proved />
        </Section>
        <Box sx={{ minWidth: 0 }}>
          <Section
            title="Check it with the command line"
            lead="From the provider's and subscriber's kit; exit code 0 if everything holds."
          >
            <CopyField
              name="command that verifies"
              text={`pip install signalbox\nsignalbox verify ${signal} --url ${location.origin}`}
            />
            <Typography variant="body2" sx={{ mt: 2, mb: 1 }}>
              Or in two steps, the second offline:
            </Typography>
            <CopyField
              name="commands that download and verify"
              text={`curl -s ${location.origin}${evidence} > ${path.name}.json\nsignalbox verify ${path.name}.json`}
            />
          </Section>
          <Checkpoint />
        </Box>
      </Box>
    </>
  );
}

function Proved() {
  return (
    <Box component="dl" sx={{ m: 0 }}>
      <Promise_ name="Nothing is back-dated">
        Each forecast is a leaf of an append-only log. It is live only if a dated checkpoint with
        its quorum of cosignatures covered it by its deadline.
      </Promise_>
      <Promise_ name="Nothing is exchanged">
        A leaf binds the forecast, the version and its image. What is shown later must open the
        commitment that was logged then.
      </Promise_>
      <Promise_ name="Nothing is hidden">
        Leaves of a signal are a chain, and each owed hour has one: a forecast or a miss. One that
        is left out shows.
      </Promise_>
      <Promise_ name="Nothing looks ahead">
        A model runs without network on the bars that were available at its hour. The digest of what
        it saw is logged, and logged forecasts are run again, drawn by chance.
      </Promise_>
      <Promise_ name="What is not proved">
        That a forecast is any good, and that whoever cosigns does not conspire. Where nobody but
        the platform cosigns, it could show others another log.
      </Promise_>
    </Box>
  );
}

function Promise_({ name, children }: { name: string; children: ReactNode }) {
  return (
    <Box sx={{ mb: 1.5 }}>
      <Typography component="dt" variant="h3">
        {name}
      </Typography>
      <Typography component="dd" variant="body2" sx={{ m: 0 }}>
        {children}
      </Typography>
    </Box>
  );
}

function Checkpoint() {
  const checkpoint = useQuery(checkpointQuery);
  return (
    <Section
      title="Newest checkpoint"
      lead="The log's name, size and root, signed. Keep one: no later log may contradict it."
    >
      <Awaited query={checkpoint} skeleton={<Skeleton variant="rounded" height={120} />}>
        {(text) => <CopyField name="checkpoint" text={text.trimEnd()} />}
      </Awaited>
    </Section>
  );
}
