import TextField, { type TextFieldProps } from "@mui/material/TextField";

import { ProblemError } from "../api/problem";

type Props = TextFieldProps & {
  /** Of the request's body: what the API says of it stands beneath. */
  name: string;
  /** Why the last request was refused, if it was. */
  refused?: unknown;
};

/** A text field that shows what the API found wrong with it. */
export function Field({ refused, helperText, ...field }: Props) {
  const fault = refused instanceof ProblemError ? refused.fields[field.name] : undefined;
  return <TextField {...field} error={fault !== undefined} helperText={fault ?? helperText} />;
}
