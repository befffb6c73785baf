import { Outlet } from "@tanstack/react-router";

export function OperatorFrame() {
  return <Outlet />;
}
