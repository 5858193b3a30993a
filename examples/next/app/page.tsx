import { cart, readSession } from "../session";
import { add, signIn, signOut } from "./actions";

export default async function Page() {
  const session = await readSession();
  const user = session.get("user");
  const notice = session.flash.peek("notice");
  return (
    <main>
      {notice !== "" && <p role="status">{notice}</p>}
      {user === "" ? (
        <form action={signIn}>
          <label>
            Name <input name="name" required />
          </label>
          <button>Sign in</button>
        </form>
      ) : (
        <form action={signOut}>
          <p id="user">{user}</p>
          <button>Sign out</button>
        </form>
      )}
      <form action={add}>
        <label>
          Item <input name="item" required />
        </label>
        <button>Add</button>
      </form>
      <ul id="cart">
        {[...cart.of(session)].map(([item, count]) => (
          <li key={item}>{`${item}: ${count}`}</li>
        ))}
      </ul>
    </main>
  );
}
