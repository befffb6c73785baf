import ExpandMore from "@mui/icons-material/ExpandMore";
import Accordion from "@mui/material/Accordion";
import AccordionDetails from "@mui/material/AccordionDetails";
import AccordionSummary from "@mui/material/AccordionSummary";
import Alert from "@mui/material/Alert";
import Box from "@mui/material/Box";
import Typography from "@mui/material/Typography";
import type { ReactNode } from "react";

import type { Schemas } from "../../api/client";
import { CopyField } from "../../elements/CopyField";
import { Absent } from "../../elements/Figure";
import { StateBadge } from "../../elements/StateBadge";
import { Instant } from "../../format/Instant";
import type { Name } from "../queries";
import { Documents } from "./Documents";
import { LeakReport } from "./LeakReport";
import { VersionEvents } from "./VersionEvents";

interface Props {
  path: Name;
  version: Schemas["Version"];
  isOpen: boolean;
  isOwn: boolean;
}

export function VersionPanel({ path, version, isOpen, isOwn }: Props) {
  return (
    <Accordion
      defaultExpanded={isOpen}
      disableGutters
      slotProps={{ transition: { unmountOnExit: true }, heading: { component: "h2" } }}
      sx={{ mb: 2, "&::before": { display: "none" } }}
    >
      <AccordionSummary expandIcon={<ExpandMore />}>
        <Box sx={{ display: "flex", flexWrap: "wrap", gap: 1.5, alignItems: "center" }}>
          <Typography variant="h2" component="span">
            {version.version}
          </Typography>
          <StateBadge state={version.state} />
          <Typography variant="body2" color="textSecondary" component="span">
            {version.published_at === null ? (
              <>
                pushed <Instant at={version.reserved_at} />, never published
              </>
            ) : (
              <>
                published <Instant at={version.published_at} />
              </>
            )}
          </Typography>
        </Box>
      </AccordionSummary>
      <AccordionDetails>
        {version.why !== null && (
          <Alert severity="error" variant="outlined" sx={{ mb: 2 }}>
            {version.why}
          </Alert>
        )}
        <Box
          sx={{
            display: "grid",
            gap: 3,
            gridTemplateColumns: { xs: "minmax(0, 1fr)", md: "repeat(2, minmax(0, 1fr))" },
          }}
        >
          <Part title="What runs">
            <Digest name="Commit" value={version.commit_sha} />
            <Digest name="Tree" value={version.tree_digest} />
            <Digest name="Lock of packages" value={version.lock_digest} />
            <Digest name="Image" value={version.image_digest} />
          </Part>
          <Part title="What was found about it">
            <LeakReport report={version.leak_report} deterministic={version.deterministic} />
            <Fact name="Known weaknesses of its packages">
              {typeof version.scan?.["said"] === "string" ? (
                version.scan["said"]
              ) : (
                <Absent reason="Its packages were not looked up." />
              )}
            </Fact>
            {version.published_at !== null && (
              <Documents path={path} version={version.version} isSigned={version.is_signed} />
            )}
          </Part>
          {version.manifest !== null && (
            <Part title="Manifest">
              <CopyField
                name={`manifest of ${version.version}`}
                text={JSON.stringify(version.manifest, null, 2)}
              />
            </Part>
          )}
          {isOwn && (
            <Part title="What happened to it">
              <VersionEvents path={path} version={version.version} />
            </Part>
          )}
        </Box>
      </AccordionDetails>
    </Accordion>
  );
}

function Part({ title, children }: { title: string; children: ReactNode }) {
  return (
    <Box component="section" sx={{ minWidth: 0 }}>
      <Typography variant="h3" sx={{ mb: 1 }}>
        {title}
      </Typography>
      {children}
    </Box>
  );
}

export function Fact({ name, children }: { name: string; children: ReactNode }) {
  return (
    <Box sx={{ mb: 1.25 }}>
      <Typography variant="caption" color="textSecondary" component="div">
        {name}
      </Typography>
      <Typography variant="body2" component="div">
        {children}
      </Typography>
    </Box>
  );
}

function Digest({ name, value }: { name: string; value: string | null }) {
  return (
    <Box sx={{ mb: 1.25 }}>
      <Typography variant="caption" color="textSecondary" component="div">
        {name}
      </Typography>
      {value === null ? (
        <Absent reason="The version was not built." />
      ) : (
        <CopyField name={name.toLowerCase()} text={value} />
      )}
    </Box>
  );
}
