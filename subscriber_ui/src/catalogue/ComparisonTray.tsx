import CompareArrows from "@mui/icons-material/CompareArrows";
import Box from "@mui/material/Box";
import Button from "@mui/material/Button";
import Chip from "@mui/material/Chip";
import Paper from "@mui/material/Paper";

import { RouterButton } from "../elements/RouterLink";
import { COMPARED_AT_MOST } from "./search";

interface Props {
  picked: string[];
  onChange: (picked: string[] | undefined) => void;
}

/** What was chosen to be compared, at the lower edge while there is something. */
export function ComparisonTray({ picked, onChange }: Props) {
  if (picked.length === 0) return null;
  return (
    <Paper
      elevation={8}
      variant="elevation"
      role="region"
      aria-label="Chosen to compare"
      sx={{
        position: "sticky",
        bottom: 12,
        zIndex: "appBar",
        mt: 2,
        p: 1.5,
        display: "flex",
        flexWrap: "wrap",
        gap: 1,
        alignItems: "center",
        border: 1,
        borderColor: "divider",
      }}
    >
      <Box sx={{ display: "flex", flexWrap: "wrap", gap: 0.75, flex: 1 }}>
        {picked.map((signal) => (
          <Chip
            key={signal}
            label={signal}
            size="small"
            onDelete={() => {
              const rest = picked.filter((each) => each !== signal);
              onChange(rest.length > 0 ? rest : undefined);
            }}
          />
        ))}
        <Box
          component="span"
          sx={{ color: "text.secondary", fontSize: "0.8rem", alignSelf: "center" }}
        >
          {picked.length === 1
            ? "Choose another one to compare"
            : `${picked.length} of ${COMPARED_AT_MOST}`}
        </Box>
      </Box>
      <Button color="inherit" onClick={() => onChange(undefined)}>
        Clear
      </Button>
      <RouterButton
        to="/compare"
        search={{ signals: picked.join(",") }}
        variant="contained"
        startIcon={<CompareArrows />}
        disabled={picked.length < 2}
      >
        Compare
      </RouterButton>
    </Paper>
  );
}
