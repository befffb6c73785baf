import { redirect } from "@tanstack/react-router";

import { me, restored } from "./session";

/** For `beforeLoad`: strangers log in first and come back. */
export async function signedIn({ location }: { location: { href: string } }): Promise<void> {
  await restored();
  if (me() === null) throw redirect({ to: "/login", search: { next: location.href } });
}

/** For `beforeLoad`: operators only; to others the page does not exist. */
export async function operatorsOnly(at: { location: { href: string } }): Promise<void> {
  await signedIn(at);
  if (me()?.role !== "operator") throw redirect({ to: "/" });
}
