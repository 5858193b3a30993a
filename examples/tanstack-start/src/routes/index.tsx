import { createFileRoute } from "@tanstack/react-router";
import { add, getShop, signIn, signOut } from "../shop.ts";

export const Route = createFileRoute("/")({ loader: () => getShop(), component: Shop });

function Shop() {
  const { user, notice, cart } = Route.useLoaderData();
  return (
    <main>
      {notice !== "" && <p role="status">{notice}</p>}
      {user === "" ? (
        <form method="post" action={signIn.url} encType="multipart/form-data">
          <label>
            Name <input name="name" required />
          </label>
          <button>Sign in</button>
        </form>
      ) : (
        <>
          <p id="user">{user}</p>
          <form method="post" action={signOut.url} encType="multipart/form-data">
            <button>Sign out</button>
          </form>
        </>
      )}
      <ul id="cart">
        {cart.map(({ item, count }) => (
          <li key={item}>{`${item}: ${count}`}</li>
        ))}
      </ul>
      <form method="post" action={add.url} encType="multipart/form-data">
        <label>
          Item <input name="item" required />
        </label>
        <button>Add</button>
      </form>
    </main>
  );
}
