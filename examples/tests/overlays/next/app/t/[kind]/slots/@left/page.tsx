import { type Props, sessionsOf } from "../../../../../lab/sessions";

export default async function Page({ params }: Props) {
  const session = await sessionsOf((await params).kind).readSession();
  return <p id="left">{session.get("a")}</p>;
}
