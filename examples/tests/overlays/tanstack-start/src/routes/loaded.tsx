import { createFileRoute, Outlet } from "@tanstack/react-router";
import { write } from "../functions.ts";

export const Route = createFileRoute("/loaded")({
  loader: () => write({ data: { key: "outer", then: "nothing" } }),
  component: () => <Outlet />,
  notFoundComponent: () => <h1>Not here</h1>,
  errorComponent: () => <h1>Out of order</h1>,
});
