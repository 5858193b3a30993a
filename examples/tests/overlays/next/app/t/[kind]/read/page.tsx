import { cookies } from "next/headers";
import { type Props, sessionsOf } from "../../../../lab/sessions";

export default async function Page({ params }: Props) {
  const session = await sessionsOf((await params).kind).readSession();
  const jar = await cookies();
  return (
    <main>
      <p id="a">{session.get("a")}</p>
      <p id="p">{session.get("p")}</p>
      <p id="n">{session.get("n")}</p>
      <p id="theme">{jar.get("theme")?.value}</p>
    </main>
  );
}
