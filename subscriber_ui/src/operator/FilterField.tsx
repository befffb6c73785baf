import TextField from "@mui/material/TextField";

import { useTyped } from "../elements/useTyped";

const PAUSE_MS = 400;

interface Props {
  label: string;
  /** As it stands in the address. */
  value: string | undefined;
  onChange: (value: string | undefined) => void;
  placeholder?: string;
  type?: "text" | "search" | "date";
  width?: number;
}

/** A filter: what is typed goes to the address when the typing pauses. */
export function FilterField({ label, value, onChange, placeholder, type, width = 180 }: Props) {
  const [typed, setTyped] = useTyped(value, onChange, type === "date" ? 0 : PAUSE_MS);
  return (
    <TextField
      label={label}
      value={typed}
      type={type ?? "text"}
      placeholder={placeholder}
      onChange={(event) => setTyped(event.target.value)}
      slotProps={{ inputLabel: { shrink: true } }}
      sx={{ width: { xs: "100%", sm: width } }}
    />
  );
}
