import { sessionContext } from "kocha-session/react-router";
import { Form, redirect } from "react-router";
import { cart } from "../session.server";
import type { Route } from "./+types/home";

export function loader({ context }: Route.LoaderArgs) {
  const session = context.get(sessionContext);
  return {
    user: session.get("user"),
    notice: session.flash.get("notice"),
    cart: [...cart.of(session)].map(([item, count]) => ({ item, count })),
  };
}

export async function action({ request, context }: Route.ActionArgs) {
  const session = context.get(sessionContext);
  const form = await request.formData();
  if (form.get("intent") === "sign-in") {
    const name = String(form.get("name"));
    await session.regenerate(); // a new credential, the same data
    session.set("user", name);
    session.flash.set("notice", `Welcome, ${name}`);
  } else if (form.get("intent") === "add") {
    await cart.of(session).update(String(form.get("item")), (count = 0) => count + 1);
  } else if (form.get("intent") === "sign-out") {
    await session.destroy();
  }
  return redirect("/");
}

export default function Home({ loaderData: { user, notice, cart: lines } }: Route.ComponentProps) {
  return (
    <main>
      {notice !== "" && <p role="status">{notice}</p>}
      {user === "" ? (
        <Form method="post">
          <label>
            Name <input name="name" required />
          </label>
          <button name="intent" value="sign-in">
            Sign in
          </button>
        </Form>
      ) : (
        <>
          <p id="user">{user}</p>
          <Form method="post">
            <button name="intent" value="sign-out">
              Sign out
            </button>
          </Form>
        </>
      )}
      <ul id="cart">
        {lines.map(({ item, count }) => (
          <li key={item}>
            {item}: {count}
          </li>
        ))}
      </ul>
      <Form method="post">
        <label>
          Item <input name="item" required />
        </label>
        <button name="intent" value="add">
          Add
        </button>
      </Form>
    </main>
  );
}
