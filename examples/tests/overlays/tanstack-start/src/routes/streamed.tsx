import { Await, createFileRoute } from "@tanstack/react-router";
import { Suspense } from "react";
import { write, writeLate } from "../functions.ts";

export const Route = createFileRoute("/streamed")({
  loader: async () => {
    await write({ data: { key: "early", then: "yes" } });
    return { late: writeLate() };
  },
  component: () => (
    <Suspense fallback="…">
      <Await promise={Route.useLoaderData().late}>{(late) => <p id="late">{late}</p>}</Await>
    </Suspense>
  ),
});
