import { createFileRoute } from "@tanstack/react-router";
import { countVisit } from "../shop.ts";

/** Counts as the page is loaded. */
export const Route = createFileRoute("/visit")({ loader: () => countVisit(), component: Visit });

function Visit() {
  return <p id="visits">{Route.useLoaderData()}</p>;
}
