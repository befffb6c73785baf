import { type ErrorComponentProps, useRouter } from "@tanstack/react-router";

import { ErrorState } from "../elements/ErrorState";
import { PageHead } from "../elements/PageHead";

export function RouteError({ error, reset }: ErrorComponentProps) {
  const router = useRouter();
  const retry = () => {
    reset();
    void router.invalidate();
  };
  return (
    <>
      <PageHead title="Something went wrong" />
      <ErrorState error={error} retry={retry} />
    </>
  );
}
