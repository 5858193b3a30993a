export default defineEventHandler(({ context: { session } }) => session?.increment("visits"));
