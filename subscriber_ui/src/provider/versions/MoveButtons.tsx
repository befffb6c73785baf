import Button from "@mui/material/Button";
import Stack from "@mui/material/Stack";
import { useState } from "react";

import type { Path, Version } from "../queries";
import { MoveDialog } from "./MoveDialog";
import { type Move, MOVES, movesFrom } from "./moves";

/** What may be done with a version now; each asks first. */
export function MoveButtons({ path, version }: { path: Path; version: Version }) {
  const [asked, setAsked] = useState<Move | null>(null);
  return (
    <Stack direction="row" spacing={0.5} sx={{ justifyContent: "flex-end" }}>
      {movesFrom(version.state).map((move) => (
        <Button
          key={move}
          size="small"
          color={MOVES[move].isFinal ? "error" : "primary"}
          aria-label={`${MOVES[move].label} ${version.version}`}
          onClick={() => setAsked(move)}
          sx={{ whiteSpace: "nowrap" }}
        >
          {MOVES[move].label}
        </Button>
      ))}
      {asked !== null && (
        <MoveDialog path={path} version={version} move={asked} onClose={() => setAsked(null)} />
      )}
    </Stack>
  );
}
