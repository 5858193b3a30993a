import { redirect } from "next/navigation";
import { connection } from "next/server";
import { siteOf } from "../../lab/site";

export default async function Page() {
  await connection(); // a build has no site
  const session = await siteOf().readSession();
  async function enter() {
    "use server";
    await siteOf().withSession(async (own) => {
      await own.regenerate();
      own.set("user", "ann");
      own.bindDevice();
      // For proxy.ts, which can offer it where an action can't.
      own.flash.set("offer", "1");
    });
    redirect("/form");
  }
  return (
    <form action={enter}>
      <p>{session.get("user")}</p>
      <button>Log in</button>
    </form>
  );
}
