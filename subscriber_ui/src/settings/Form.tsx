import Box from "@mui/material/Box";
import Button, { type ButtonProps } from "@mui/material/Button";
import Stack from "@mui/material/Stack";
import type { ReactNode } from "react";

import { Refusal } from "../elements/Refusal";

interface Props {
  children: ReactNode;
  /** The verb on the button. */
  submit: string;
  color?: ButtonProps["color"];
  busy: boolean;
  error: unknown;
  /** Fields that show their own faults. */
  fields: string[];
  onSubmit: () => void;
}

/** A narrow form of one column. */
export function Form({ children, submit, color, busy, error, fields, onSubmit }: Props) {
  return (
    <Stack
      component="form"
      spacing={2}
      sx={{ maxWidth: 440 }}
      onSubmit={(event: React.SyntheticEvent) => {
        event.preventDefault();
        onSubmit();
      }}
    >
      {children}
      <Refusal error={error} fields={fields} />
      <Box>
        <Button type="submit" variant="contained" color={color} loading={busy}>
          {submit}
        </Button>
      </Box>
    </Stack>
  );
}
