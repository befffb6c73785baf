import { EmptyState } from "../elements/EmptyState";
import { PageHead } from "../elements/PageHead";
import { RouterButton } from "../elements/RouterLink";

export function NotFound() {
  return (
    <>
      <PageHead title="Not found" />
      <EmptyState
        title="There is no page at this address"
        action={
          <RouterButton to="/" variant="contained">
            See all signals
          </RouterButton>
        }
      >
        It may have been mistyped, or what it showed is private to somebody else.
      </EmptyState>
    </>
  );
}
