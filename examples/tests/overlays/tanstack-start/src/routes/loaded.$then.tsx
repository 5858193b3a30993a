import { createFileRoute } from "@tanstack/react-router";
import { write } from "../functions.ts";

export const Route = createFileRoute("/loaded/$then")({
  loader: ({ params: { then } }) => write({ data: { key: "inner", then } }),
  component: () => <h1>{Route.useLoaderData()}</h1>,
  notFoundComponent: () => <h1>Not here</h1>,
});
