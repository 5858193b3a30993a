import { type Props, sessionsOf } from "../../../../lab/sessions";

export default async function Page({ params }: Props) {
  const { kind } = await params;
  const { readSession } = sessionsOf(kind);
  const session = await readSession();
  async function signIn() {
    "use server";
    await sessionsOf(kind).withSession(async (own) => {
      await own.regenerate();
      own.set("user", "ada");
      own.flash.set("notice", "welcome");
    });
  }
  async function signOut() {
    "use server";
    await sessionsOf(kind).withSession((own) => own.destroy());
  }
  return (
    <main>
      <p id="user">{session.get("user")}</p>
      <p id="notice">{session.flash.peek("notice")}</p>
      <form action={signIn}>
        <button>in</button>
      </form>
      <form action={signOut}>
        <button>out</button>
      </form>
    </main>
  );
}
