import Search from "@mui/icons-material/Search";
import Tune from "@mui/icons-material/Tune";
import Box from "@mui/material/Box";
import Button from "@mui/material/Button";
import Checkbox from "@mui/material/Checkbox";
import Collapse from "@mui/material/Collapse";
import FormControlLabel from "@mui/material/FormControlLabel";
import InputAdornment from "@mui/material/InputAdornment";
import TextField from "@mui/material/TextField";
import { useState } from "react";

import { useTyped } from "../elements/useTyped";
import { Choice } from "./Choice";
import { type CatalogueSearch, filtersSet, SORTS, USUAL_SORT } from "./search";

const TYPING_MS = 300;
const ANY: [string, string] = ["", "Any"];
const HORIZONS: [string, string][] = [1, 2, 4, 8, 12, 24, 48, 72, 168].map((hours) => [
  String(hours),
  `${hours} h`,
]);
const PRICES: [string, string][] = [
  ["0", "Free"],
  ...[10, 25, 50, 100, 250].map((euros): [string, string] => [String(euros), `Up to €${euros}`]),
];
const AGES: [string, string][] = [7, 30, 90, 180, 365].map((days) => [
  String(days),
  `${days} days or more`,
]);
const SKILLS: [string, string][] = [
  ["0", "0 % or more"],
  ["2", "2 % or more"],
  ["5", "5 % or more"],
  ["10", "10 % or more"],
];
const FALLS: [string, string][] = [5, 10, 20, 40].map((share) => [
  String(share),
  `At most ${share} %`,
]);

interface Props {
  search: CatalogueSearch;
  onChange: (change: Partial<CatalogueSearch>) => void;
}

/** Words, order and filters; all of it stands in the address. */
export function FilterBar({ search, onChange }: Props) {
  const set = filtersSet(search);
  const [open, setOpen] = useState(set > 0);
  const number = (name: "horizon" | "price" | "days" | "skill" | "drawdown") => ({
    value: search[name] === undefined ? "" : String(search[name]),
    onChoose: (value: string) => onChange({ [name]: value === "" ? undefined : Number(value) }),
  });
  return (
    <Box component="form" role="search" onSubmit={(event) => event.preventDefault()} sx={{ mb: 2 }}>
      <Box
        sx={{
          display: "grid",
          gap: 1.5,
          gridTemplateColumns: { xs: "1fr auto", md: "1fr 220px auto" },
          alignItems: "center",
        }}
      >
        <Box sx={{ gridColumn: { xs: "1 / -1", md: "auto" } }}>
          <Words value={search.q} onTold={(q) => onChange({ q })} />
        </Box>
        <Choice
          label="Sort by"
          value={search.sort ?? USUAL_SORT}
          options={SORTS}
          onChoose={(value) => {
            const sort = SORTS.find(([each]) => each === value)?.[0];
            onChange({ sort: sort === USUAL_SORT ? undefined : sort });
          }}
        />
        <Button
          variant="outlined"
          color="inherit"
          startIcon={<Tune />}
          aria-expanded={open}
          aria-controls="filters"
          onClick={() => setOpen(!open)}
          sx={{ height: 40, borderColor: "divider" }}
        >
          Filters{set > 0 ? ` (${set})` : ""}
        </Button>
      </Box>
      <Collapse in={open} id="filters">
        <Box
          sx={{
            display: "grid",
            gap: 1.5,
            pt: 2,
            gridTemplateColumns: { xs: "1fr 1fr", sm: "repeat(3, 1fr)", lg: "repeat(6, 1fr)" },
          }}
        >
          <Words
            label="Symbol"
            value={search.symbol}
            onTold={(symbol) => onChange({ symbol: symbol?.toUpperCase() })}
          />
          <Choice label="Horizon" options={[ANY, ...HORIZONS]} {...number("horizon")} />
          <Choice label="Price a month" options={[ANY, ...PRICES]} {...number("price")} />
          <Choice label="Live for" options={[ANY, ...AGES]} {...number("days")} />
          <Choice label="Skill" options={[ANY, ...SKILLS]} {...number("skill")} />
          <Choice label="Max drawdown" options={[ANY, ...FALLS]} {...number("drawdown")} />
          <FormControlLabel
            control={
              <Checkbox
                checked={search.trial === true}
                onChange={(event) => onChange({ trial: event.target.checked ? true : undefined })}
              />
            }
            label="With a free trial"
          />
          {set > 0 && (
            <Button onClick={() => onChange(CLEARED)} sx={{ justifySelf: "start" }}>
              Clear filters
            </Button>
          )}
        </Box>
      </Collapse>
    </Box>
  );
}

const CLEARED: Partial<CatalogueSearch> = {
  symbol: undefined,
  horizon: undefined,
  price: undefined,
  trial: undefined,
  days: undefined,
  skill: undefined,
  drawdown: undefined,
};

interface WordsProps {
  /** Without it, this is the search of the whole catalogue. */
  label?: string;
  value: string | undefined;
  onTold: (value: string | undefined) => void;
}

/** Text that is told when the typing pauses. */
function Words({ label, value, onTold }: WordsProps) {
  const [typed, setTyped] = useTyped(value, onTold, TYPING_MS);
  return label === undefined ? (
    <TextField
      type="search"
      placeholder="Search by words, provider or name"
      value={typed}
      onChange={(event) => setTyped(event.target.value)}
      slotProps={{
        htmlInput: { "aria-label": "Search signals", maxLength: 200 },
        input: {
          startAdornment: (
            <InputAdornment position="start">
              <Search fontSize="small" />
            </InputAdornment>
          ),
        },
      }}
    />
  ) : (
    <TextField
      label={label}
      placeholder="Any"
      value={typed}
      onChange={(event) => setTyped(event.target.value)}
      slotProps={{ htmlInput: { maxLength: 32 }, inputLabel: { shrink: true } }}
    />
  );
}
