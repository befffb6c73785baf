import FormControlLabel from "@mui/material/FormControlLabel";
import MenuItem from "@mui/material/MenuItem";
import Stack from "@mui/material/Stack";
import Switch from "@mui/material/Switch";
import TextField from "@mui/material/TextField";

import type { Sight } from "./search";
import { SIGHTS } from "./search";

export const RANGES = { 30: "30 days", 90: "90 days", 365: "a year" } as const;
export type RangeDays = keyof typeof RANGES;

const SIGHT_NAMES: Record<Sight, string> = {
  48: "2 days",
  168: "a week",
  720: "30 days",
  2160: "90 days",
};

interface Props {
  symbols: string[];
  symbol: string;
  horizons: number[];
  horizon: number;
  hours: Sight;
  /** Null: a range of another length. */
  range: RangeDays | null;
  /** Null: there are none, or they are not to be read. */
  replays: boolean | null;
  onChange: (change: {
    symbol?: string;
    horizon?: number;
    hours?: Sight;
    range?: RangeDays;
    replays?: boolean;
  }) => void;
}

/** What is played: symbol, horizon, range, how much is in sight. */
export function Choices(props: Props) {
  const { symbols, symbol, horizons, horizon, hours, range, replays, onChange } = props;
  return (
    <Stack direction="row" useFlexGap spacing={1.5} sx={{ flexWrap: "wrap", mb: 2 }}>
      <Choice label="Symbol" value={symbol} onChange={(chosen) => onChange({ symbol: chosen })}>
        {symbols.map((each) => [each, each])}
      </Choice>
      <Choice
        label="Horizon"
        value={String(horizon)}
        onChange={(chosen) => onChange({ horizon: Number(chosen) })}
      >
        {horizons.map((each) => [String(each), `${each} h`])}
      </Choice>
      <Choice
        label="Range"
        value={range === null ? "" : String(range)}
        onChange={(chosen) => chosen !== "" && onChange({ range: Number(chosen) as RangeDays })}
      >
        {[
          ...(range === null ? [["", "as linked"] as [string, string]] : []),
          ...Object.entries(RANGES),
        ]}
      </Choice>
      <Choice
        label="In sight"
        value={String(hours)}
        onChange={(chosen) => onChange({ hours: Number(chosen) as Sight })}
      >
        {SIGHTS.map((each) => [String(each), SIGHT_NAMES[each]])}
      </Choice>
      {replays !== null && (
        <FormControlLabel
          label="Replayed and backfilled"
          control={
            <Switch
              size="small"
              checked={replays}
              onChange={(_, checked) => onChange({ replays: checked })}
            />
          }
        />
      )}
    </Stack>
  );
}

interface ChoiceProps {
  label: string;
  value: string;
  onChange: (chosen: string) => void;
  children: [string, string][];
}

function Choice({ label, value, onChange, children }: ChoiceProps) {
  return (
    <TextField
      select
      label={label}
      value={value}
      onChange={(event) => onChange(event.target.value)}
      sx={{ width: "auto", minWidth: 116 }}
    >
      {children.map(([each, name]) => (
        <MenuItem key={each} value={each}>
          {name}
        </MenuItem>
      ))}
    </TextField>
  );
}
