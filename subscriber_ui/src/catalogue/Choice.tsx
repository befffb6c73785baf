import TextField from "@mui/material/TextField";

interface Props {
  label: string;
  /** "" stands for no choice. */
  value: string;
  options: [string, string][];
  onChoose: (value: string) => void;
}

/** One of a few; the browser's own list, which phones and keyboards know. */
export function Choice({ label, value, options, onChoose }: Props) {
  return (
    <TextField
      select
      label={label}
      value={value}
      onChange={(event) => onChoose(event.target.value)}
      slotProps={{ select: { native: true }, inputLabel: { shrink: true } }}
    >
      {options.map(([each, shown]) => (
        <option key={each} value={each}>
          {shown}
        </option>
      ))}
    </TextField>
  );
}
