import { PageHead } from "../elements/PageHead";

export function AuditPage() {
  return <PageHead title="Audit log" />;
}
