// The endpoint of device-bound sessions: React Router runs the middleware where a route matches.
export const action = () => new Response(null, { status: 404 });
