import { Outlet } from "@tanstack/react-router";

import { PageHead } from "../elements/PageHead";
import { signalRoute } from "./frame";

export function SignalFrame() {
  const { provider, name } = signalRoute.useParams();
  return (
    <>
      <PageHead title={`${provider}/${name}`} />
      <Outlet />
    </>
  );
}
