import { Outlet } from "@tanstack/react-router";

export function ProviderFrame() {
  return <Outlet />;
}
