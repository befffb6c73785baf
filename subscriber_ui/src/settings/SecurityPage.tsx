import { useSession } from "../session/session";
import { PasswordSection } from "./PasswordSection";
import { SecondFactorSection } from "./SecondFactorSection";
import { SessionsSection } from "./SessionsSection";

export function SecurityPage() {
  const session = useSession();
  if (session.state !== "in") return null;
  return (
    <>
      <SecondFactorSection me={session.me} />
      <PasswordSection />
      <SessionsSection />
    </>
  );
}
