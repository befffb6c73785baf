import Alert from "@mui/material/Alert";

import { ProblemError } from "../api/problem";

interface Props {
  /** Of a mutation: null while nothing went wrong. */
  error: unknown;
  /** Fields of the form that show their own faults. */
  fields?: string[];
}

/** Why a form was refused, unless its fields say so themselves. */
export function Refusal({ error, fields = [] }: Props) {
  if (error === null || error === undefined) return null;
  if (!(error instanceof ProblemError)) {
    return <Alert severity="error">Something broke here. Reload the page and try again.</Alert>;
  }
  const faults = Object.entries(error.fields);
  if (faults.length > 0 && faults.every(([field]) => fields.includes(field))) return null;
  const others = faults.filter(([field]) => !fields.includes(field));
  return (
    <Alert severity="error">
      {error.message}
      {others.map(([field, message]) => (
        <div key={field}>{`${field}: ${message}`}</div>
      ))}
    </Alert>
  );
}
