import { type Props, sessionsOf } from "../../../../lab/sessions";

const pause = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));

const write = (kind: string, key: string, ms = 0) =>
  sessionsOf(kind).withSession(async (own) => {
    await pause(ms);
    own.set(key, "1");
  });

export default async function Page({ params }: Props) {
  const { kind } = await params;
  const { readSession } = sessionsOf(kind);
  const session = await readSession();
  async function sequential() {
    "use server";
    await write(kind, "a");
    await write(kind, "b");
  }
  async function nested() {
    "use server";
    await sessionsOf(kind).withSession(async (own) => {
      own.set("a", "1");
      await write(kind, "b");
      own.set("c", own.get("b"));
    });
  }
  async function together() {
    "use server";
    await Promise.all([write(kind, "a", 20), write(kind, "b"), write(kind, "c", 5)]);
  }
  async function staggered() {
    "use server";
    // One begins while another is being saved, and one waits for another inside.
    const first = write(kind, "a");
    await pause(2);
    const second = write(kind, "b");
    await sessionsOf(kind).withSession(async (own) => {
      await first;
      own.set("c", "1");
    });
    await second;
  }
  const forms = { sequential, nested, together, staggered };
  return (
    <main>
      <p id="keys">{[...session.keys()].toSorted().join(" ")}</p>
      {Object.entries(forms).map(([name, action]) => (
        <form key={name} action={action}>
          <button>{name}</button>
        </form>
      ))}
    </main>
  );
}
