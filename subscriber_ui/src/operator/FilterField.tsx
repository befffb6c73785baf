import TextField from "@mui/material/TextField";
import { useEffect, useEffectEvent, useState } from "react";

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
  const [typed, setTyped] = useState(value ?? "");
  const [known, setKnown] = useState(value);
  const [told, setTold] = useState(value);
  if (known !== value) {
    setKnown(value);
    // Not what was told from here: back, forward, or a link changed the address.
    if (value !== told) {
      setTold(value);
      setTyped(value ?? "");
    }
  }
  const tell = useEffectEvent((text: string) => {
    const wanted = text.trim() === "" ? undefined : text.trim();
    if (wanted === value) return;
    setTold(wanted);
    onChange(wanted);
  });
  useEffect(() => {
    const timer = setTimeout(() => tell(typed), type === "date" ? 0 : PAUSE_MS);
    return () => clearTimeout(timer);
  }, [typed, type]);
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
