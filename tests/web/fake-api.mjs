/** Shared by the tests: a server that sends prepared answers, one per request, and records the requests. */
export function serveAnswers(context, ...answers) {
  const asked = [];
  context.mock.method(globalThis, "fetch", async (path, options) => {
    asked.push({ path, ...options });
    const answer = answers.shift();
    if (answer === undefined) throw new TypeError("Failed to fetch");
    const { status = 200, body = null, headers = {} } = answer;
    return new Response(body === null ? null : JSON.stringify(body), { status, headers });
  });
  return asked;
}
