// Answers with status 404 on h3 2.0.1-rc.2, which Nitro 3.0.0 has.

/**
 * A Response in a form that h3 takes from a middleware. The older h3 takes a Response with status 404 for
 * none, and answers with the one that the handler gave, which lacks the session's cookie; h3's own
 * `HTTPResponse`, which it knows by the name of its class, is an answer with every status.
 */
export function asAnswer(response: Response): unknown {
  if (response.status !== 404) return response;
  const { status, statusText, headers, body } = response;
  return { status, statusText, headers, body, constructor: { name: "HTTPResponse" } };
}
