import { index, route, type RouteConfig } from "@react-router/dev/routes";

export default [
  index("routes/home.tsx"),
  route("visit", "routes/visit.tsx"),
  route("late", "routes/late.ts"),
] satisfies RouteConfig;
