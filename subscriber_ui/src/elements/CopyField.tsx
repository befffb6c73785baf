import ContentCopy from "@mui/icons-material/ContentCopy";
import Box from "@mui/material/Box";
import IconButton from "@mui/material/IconButton";
import Tooltip from "@mui/material/Tooltip";

import { notify } from "./notices";

interface Props {
  /** What is copied, and shown. */
  text: string;
  /** What it is, for the button: Copy {name}. */
  name: string;
}

/** Text to be taken elsewhere: a command, a key, a digest. */
export function CopyField({ text, name }: Props) {
  return (
    <Box
      sx={{
        display: "flex",
        alignItems: "flex-start",
        border: 1,
        borderColor: "divider",
        borderRadius: 1,
        bgcolor: "background.default",
      }}
    >
      <Box
        component="pre"
        tabIndex={0}
        aria-label={name}
        sx={{ m: 0, p: 1.25, flex: 1, overflowX: "auto", fontSize: "0.8rem", lineHeight: 1.5 }}
      >
        {text}
      </Box>
      <Tooltip title={`Copy ${name}`}>
        <IconButton
          aria-label={`Copy ${name}`}
          size="small"
          sx={{ m: 0.5 }}
          onClick={() => void copy(text)}
        >
          <ContentCopy fontSize="small" />
        </IconButton>
      </Tooltip>
    </Box>
  );
}

async function copy(text: string): Promise<void> {
  try {
    await navigator.clipboard.writeText(text);
    notify("Copied");
  } catch {
    notify("Your browser does not allow it: select the text and copy it yourself.", "error");
  }
}
