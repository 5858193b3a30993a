import { notFound, redirect } from "next/navigation";
import { cookies } from "next/headers";
import { after } from "next/server";
import { codeOf, lab, type Props, sessionsOf } from "../../../../lab/sessions";

export default async function Page({ params }: Props) {
  const { kind } = await params;
  async function redirected() {
    "use server";
    await sessionsOf(kind).withSession((own) => {
      own.set("a", "redirect");
      redirect(`/t/${kind}/read`);
    });
  }
  async function counted() {
    "use server";
    await sessionsOf(kind).withSession((own) => {
      own.set("a", "counted");
      redirect(`/t/${kind}/read?proxy=count`);
    });
  }
  async function looked() {
    "use server";
    await sessionsOf(kind).withSession((own) => {
      own.set("a", "looked");
      redirect(`/t/${kind}/read?proxy=read`);
    });
  }
  async function missing() {
    "use server";
    await sessionsOf(kind).withSession((own) => {
      own.set("a", "notFound");
      notFound();
    });
  }
  async function broken() {
    "use server";
    await sessionsOf(kind).withSession((own) => {
      own.set("a", "thrown");
      throw new Error("out of order");
    });
  }
  async function conflicting() {
    "use server";
    (await cookies()).set(kind, "own");
    lab().codes.push(
      await codeOf(() => sessionsOf(kind).withSession((own) => own.set("a", "first"))),
    );
    lab().codes.push(
      await codeOf(() =>
        sessionsOf(kind).withSession(async (own) => {
          own.set("a", "second");
          (await cookies()).set(kind, "other");
        }),
      ),
    );
  }
  async function beside() {
    "use server";
    (await cookies()).set("theme", "dark");
    await sessionsOf(kind).withSession((own) => own.set("a", "beside"));
    (await cookies()).set("size", "large");
  }
  async function floating() {
    "use server";
    const { withSession } = sessionsOf(kind);
    void codeOf(() =>
      withSession(async (own) => {
        await lab().ended();
        own.set("a", "floating");
      }),
    ).then((code) => lab().codes.push(code));
  }
  async function afterwards() {
    "use server";
    const { withSession } = sessionsOf(kind);
    await withSession((own) => {
      own.set("a", "afterwards");
      after(async () => {
        lab().codes.push(await codeOf(() => own.set("a", "late")));
        lab().codes.push(await codeOf(() => withSession((other) => other.set("a", "late"))));
      });
    });
  }
  const forms = {
    redirected,
    counted,
    looked,
    missing,
    broken,
    conflicting,
    beside,
    floating,
    afterwards,
  };
  return (
    <main>
      {Object.entries(forms).map(([name, action]) => (
        <form key={name} action={action}>
          <button>{name}</button>
        </form>
      ))}
    </main>
  );
}
