import { type Props, sessionsOf } from "../../../../../lab/sessions";

export default async function Page({ params }: Props) {
  const session = await sessionsOf((await params).kind).readSession();
  return <p id="right">{session.get("a")}</p>;
}
