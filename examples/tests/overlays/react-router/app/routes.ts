import { index, route, type RouteConfig } from "@react-router/dev/routes";

export default [
  index("routes/home.tsx"),
  route("visit", "routes/visit.tsx"),
  route("late", "routes/late.ts"),
  route("laws/*", "probe/laws.ts"),
  route("session/device", "probe/device.ts"),
  route("enter", "probe/enter.tsx"),
  route("outer", "probe/outer.tsx", [route("inner", "probe/inner.tsx")]),
  route("thrown", "probe/thrown.tsx"),
  route("streamed", "probe/streamed.tsx"),
  route("written", "probe/written.tsx"),
] satisfies RouteConfig;
