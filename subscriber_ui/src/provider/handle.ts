import { useSession } from "../session/session";

/** Of whoever is signed in; the routes let nobody else in. */
export function useHandle(): string {
  const session = useSession();
  return session.state === "in" ? session.me.handle : "";
}
