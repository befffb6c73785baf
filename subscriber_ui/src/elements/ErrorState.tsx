import Alert from "@mui/material/Alert";
import AlertTitle from "@mui/material/AlertTitle";
import Button from "@mui/material/Button";

import { ProblemError } from "../api/problem";

interface Props {
  error: unknown;
  retry?: () => void;
}

/** What went wrong in the API's own words, and a way to try again. */
export function ErrorState({ error, retry }: Props) {
  const { title, message, code } = described(error);
  return (
    <Alert
      severity="error"
      variant="outlined"
      action={
        retry && (
          <Button color="inherit" size="small" onClick={retry}>
            Try again
          </Button>
        )
      }
    >
      <AlertTitle>{title}</AlertTitle>
      {message}
      {code !== null && (
        <>
          {" "}
          <code>{code}</code>
        </>
      )}
    </Alert>
  );
}

function described(error: unknown): { title: string; message: string; code: string | null } {
  if (error instanceof ProblemError) {
    return { title: error.title, message: error.message, code: error.code };
  }
  return {
    title: "This page broke",
    message: "It is our mistake. Reload the page; if it stays, tell the operator what you did.",
    code: null,
  };
}
