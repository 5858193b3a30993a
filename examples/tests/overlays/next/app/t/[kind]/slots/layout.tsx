import type { ReactNode } from "react";
import { type Props, sessionsOf } from "../../../../lab/sessions";

export default async function Layout({
  left,
  right,
  params,
  children,
}: Props & { left: ReactNode; right: ReactNode; children: ReactNode }) {
  const session = await sessionsOf((await params).kind).readSession();
  return (
    <main>
      <p id="layout">{session.get("a")}</p>
      {left}
      {right}
      {children}
    </main>
  );
}
