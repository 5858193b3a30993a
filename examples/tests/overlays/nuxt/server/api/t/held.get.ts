/** All of the session. */
export default defineEventHandler((event) => event.context.session?.toObject());
