import { Suspense } from "react";
import { codeOf, type Props, sessionsOf } from "../../../../lab/sessions";

async function Later({ kind }: { kind: string }) {
  await new Promise((resolve) => setTimeout(resolve, 20));
  const session = await sessionsOf(kind).readSession();
  return <p id="later">{await codeOf(() => session.set("a", "2"))}</p>;
}

export default async function Page({ params }: Props) {
  const { kind } = await params;
  const { readSession, withSession } = sessionsOf(kind);
  const session = await readSession();
  let message = "";
  try {
    session.set("a", "1");
  } catch (error) {
    message = String(error);
  }
  return (
    <main>
      <p id="message">{message}</p>
      <p id="flash">{await codeOf(() => session.flash.get("notice"))}</p>
      <p id="destroy">{await codeOf(() => session.destroy())}</p>
      <p id="increment">{await codeOf(() => session.increment("a"))}</p>
      <p id="withSession">{await codeOf(() => withSession((own) => own.set("a", "1")))}</p>
      <p id="readOnly">{String(session.readOnly)}</p>
      <Suspense fallback={<p>wait</p>}>
        <Later kind={kind} />
      </Suspense>
    </main>
  );
}
