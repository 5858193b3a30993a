import { readSession } from "../../session";

// The proxy has counted this visit already.
export default async function Page() {
  const session = await readSession();
  return <p id="visits">{session.get("visits")}</p>;
}
