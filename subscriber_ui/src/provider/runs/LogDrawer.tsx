import Close from "@mui/icons-material/Close";
import Alert from "@mui/material/Alert";
import Box from "@mui/material/Box";
import Drawer from "@mui/material/Drawer";
import IconButton from "@mui/material/IconButton";
import Stack from "@mui/material/Stack";
import Typography from "@mui/material/Typography";
import { useQuery } from "@tanstack/react-query";
import { useId } from "react";

import type { Schemas } from "../../api/client";
import { Awaited, Lines } from "../../elements/Awaited";
import { CodeTabs } from "../../elements/CodeTabs";
import { CopyField } from "../../elements/CopyField";
import { EmptyState } from "../../elements/EmptyState";
import { Instant } from "../../format/Instant";
import { logsBetween, type Path } from "../queries";
import { Outcome } from "./Outcome";
import { adviceOnMiss, HOUR_MS } from "./outcomes";
import { iso } from "./search";

interface Props {
  path: Path;
  version: string;
  slot: string;
  onClose: () => void;
}

/** What the model wrote in one hour. */
export function LogDrawer({ path, version, slot, onClose }: Props) {
  const title = useId();
  const from = iso(Date.parse(slot));
  const to = iso(Date.parse(slot) + HOUR_MS);
  const logs = useQuery(logsBetween(path, version, from, to));
  const address = `/v1/signals/${path.provider}/${path.name}/versions/${version}/logs?from=${from}&to=${to}`;
  return (
    <Drawer
      anchor="right"
      open
      onClose={onClose}
      slotProps={{
        paper: {
          role: "dialog",
          "aria-labelledby": title,
          sx: { width: { xs: "100%", sm: 560 }, p: 2.5 },
        },
      }}
    >
      <Stack direction="row" sx={{ justifyContent: "space-between", mb: 1 }}>
        <Typography variant="h2" id={title}>
          Log of {version}, <Instant at={slot} />
        </Typography>
        <IconButton aria-label="Close" size="small" onClick={onClose}>
          <Close fontSize="small" />
        </IconButton>
      </Stack>
      <Awaited query={logs} skeleton={<Lines count={8} />}>
        {({ items }) =>
          items.length === 0 ? (
            <EmptyState title="This hour is not on record">
              The version did not owe it, or it has not been run yet.
            </EmptyState>
          ) : (
            items.map((each) => <OneLog key={each.id} log={each} />)
          )
        }
      </Awaited>
      <Typography variant="h3" component="h3" sx={{ mt: 2, mb: 1 }}>
        The same by program
      </Typography>
      <CodeTabs
        name="this log"
        path={address}
        python={[
          "import json, os, urllib.request",
          "",
          "request = urllib.request.Request(",
          `    "${location.origin}${address}",`,
          `    headers={"Authorization": f"Bearer {os.environ['SIGNALBOX_API_KEY']}"},`,
          ")",
          "with urllib.request.urlopen(request) as answer:",
          `    for run in json.load(answer)["items"]:`,
          `        print(run["as_of"], run["proven"], run["log"])`,
        ].join("\n")}
      />
    </Drawer>
  );
}

function OneLog({ log }: { log: Schemas["RunLog"] }) {
  const advice = adviceOnMiss(log.reason);
  return (
    <Box sx={{ mb: 2 }}>
      <Stack direction="row" spacing={1} sx={{ alignItems: "center", mb: 1 }}>
        <Outcome of={log.proven} />
      </Stack>
      {log.reason !== null && (
        <Alert severity="error" variant="outlined" sx={{ mb: 1 }}>
          <Box component="pre" sx={{ m: 0, whiteSpace: "pre-wrap", overflowWrap: "anywhere" }}>
            {log.reason}
          </Box>
          {advice !== null && <Typography variant="body2">{advice}</Typography>}
        </Alert>
      )}
      {log.log === "" ? (
        <Typography color="textSecondary">
          The model wrote nothing. What it prints appears here, up to 64 KB an hour.
        </Typography>
      ) : (
        <CopyField name="the log" text={log.log} />
      )}
    </Box>
  );
}
