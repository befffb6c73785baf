import FastForward from "@mui/icons-material/LastPage";
import NavigateBefore from "@mui/icons-material/NavigateBefore";
import NavigateNext from "@mui/icons-material/NavigateNext";
import Pause from "@mui/icons-material/Pause";
import PlayArrow from "@mui/icons-material/PlayArrow";
import Box from "@mui/material/Box";
import Button from "@mui/material/Button";
import IconButton from "@mui/material/IconButton";
import Stack from "@mui/material/Stack";
import ToggleButton from "@mui/material/ToggleButton";
import ToggleButtonGroup from "@mui/material/ToggleButtonGroup";
import Tooltip from "@mui/material/Tooltip";
import { type ReactElement, useEffect, useRef } from "react";

import { instant, useZone } from "../format/instants";
import type { Made } from "./made";
import { SPEEDS, type Speed } from "./search";
import { type Stage, usePlayerValue } from "./usePlayer";

interface Props {
  stage: Stage;
  onNewest: () => void;
  onSpeed: (speed: Speed) => void;
}

/** Play, step, scrub and jump. */
export function Transport({ stage, onNewest, onSpeed }: Props) {
  const playing = usePlayerValue(stage, (state) => state.playing);
  const speed = usePlayerValue(stage, (state) => state.speed);
  const asking = usePlayerValue(stage, (state) => state.waiting && !state.playing);
  const { player } = stage;
  const now = (): number => performance.now();
  return (
    <Box>
      <Scrubber stage={stage} />
      <Stack direction="row" useFlexGap spacing={1} sx={{ flexWrap: "wrap", alignItems: "center" }}>
        <Press name="Step back" keys="←" onClick={() => player.step(-1, now())}>
          <NavigateBefore />
        </Press>
        <Button
          variant="contained"
          size="small"
          startIcon={playing ? <Pause /> : <PlayArrow />}
          aria-label={playing ? "Pause" : "Play"}
          onClick={() => (playing ? player.pause() : player.play(now()))}
          sx={{ minWidth: 96 }}
        >
          {playing ? "Pause" : "Play"}
        </Button>
        <Press name="Step forward" keys="→" onClick={() => player.step(1, now())}>
          <NavigateNext />
        </Press>
        <ToggleButtonGroup
          exclusive
          size="small"
          value={speed}
          aria-label="Speed, hours a second"
          onChange={(_, chosen: Speed | null) => chosen !== null && onSpeed(chosen)}
        >
          {SPEEDS.map((each) => (
            <ToggleButton key={each} value={each} sx={{ py: 0.25, px: 1 }}>
              {each} h/s
            </ToggleButton>
          ))}
        </ToggleButtonGroup>
        <Box sx={{ flexGrow: 1 }} aria-live="off">
          <Box component="span" sx={{ color: "text.secondary", fontSize: 12 }}>
            {asking ? "asking…" : ""}
          </Box>
        </Box>
        <Jump name="Jump to best" which="best" stage={stage} />
        <Jump name="Jump to worst" which="worst" stage={stage} />
        <Button size="small" endIcon={<FastForward />} onClick={onNewest}>
          Jump to newest
        </Button>
      </Stack>
    </Box>
  );
}

function Press(props: { name: string; keys: string; onClick: () => void; children: ReactElement }) {
  return (
    <Tooltip title={`${props.name} an hour (${props.keys}); a day with Shift`}>
      <IconButton size="small" aria-label={props.name} onClick={props.onClick}>
        {props.children}
      </IconButton>
    </Tooltip>
  );
}

/** To the instant at which the best or worst forecast had just been made, of those resolved. */
function Jump({ name, which, stage }: { name: string; which: "best" | "worst"; stage: Stage }) {
  const { player } = stage;
  const find = (): Made | null => {
    const at = player.state.shown ?? -Infinity;
    const { published, hypothetical } = player.record.scores;
    return published.until(at)[which] ?? hypothetical.until(at)[which];
  };
  const isThere = usePlayerValue(stage, () => find() !== null);
  const title = isThere
    ? "Against the forecast that nothing changes, of all resolved by the instant shown"
    : "No forecast is resolved yet";
  const jump = (): void => {
    const made = find();
    if (made === null) return;
    player.pause();
    player.seek(Math.max(made.knownAt, made.slot + player.bounds.decidedAfter), performance.now());
  };
  return (
    <Tooltip title={title}>
      <span>
        <Button size="small" disabled={!isThere} onClick={jump}>
          {name}
        </Button>
      </span>
    </Tooltip>
  );
}

/** A slider that is moved by each frame itself: React has no part in it. */
function Scrubber({ stage }: { stage: Stage }) {
  const input = useRef<HTMLInputElement>(null);
  const zone = useZone();
  const { bounds } = stage.player;

  useEffect(
    () =>
      stage.onFrame(({ state, bounds: { from, until } }) => {
        const slider = input.current;
        if (slider === null || state.shown === null) return;
        slider.min = String(from);
        slider.max = String(until);
        slider.value = String(state.shown);
        slider.setAttribute("aria-valuetext", instant(state.shown * 1000, zone));
      }),
    [stage, zone],
  );

  return (
    <Box
      component="input"
      ref={input}
      type="range"
      aria-label="Instant"
      min={bounds.from}
      max={bounds.until}
      step={1}
      defaultValue={bounds.until}
      onInput={(event) => {
        stage.player.pause();
        stage.player.scrub(Number((event.target as HTMLInputElement).value), performance.now());
      }}
      sx={{
        width: "100%",
        m: 0,
        mb: 1,
        height: 28,
        accentColor: "var(--mui-palette-primary-main)",
      }}
    />
  );
}
