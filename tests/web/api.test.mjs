import assert from "node:assert/strict";
import { test } from "node:test";

import { deleteJob, getJob, listJobs, submitJob } from "../../web/lib/api.js";
import { readRetryAfter } from "../../web/lib/api-error.js";
import { serveAnswers } from "./fake-api.mjs";

test("a submission carries its key and its body", async (context) => {
  const asked = serveAnswers(context, { status: 202, body: { id: "j1" } });
  assert.deepEqual(await submitJob({ prompt: "a fox" }, "key-1"), { id: "j1" });
  const [{ path, method, headers, body }] = asked;
  assert.equal(`${method} ${path}`, "POST /v1/jobs");
  assert.equal(headers["Idempotency-Key"], "key-1");
  assert.equal(headers["Content-Type"], "application/json");
  assert.deepEqual(JSON.parse(body), { prompt: "a fox" });
});

test("a problem becomes one error with its code and the fields that it names", async (context) => {
  const errors = [
    { field: "prompt", message: "Too long." },
    { field: "prompt", message: "Also odd." },
  ];
  serveAnswers(context, { status: 422, body: { code: "invalid", detail: "No.", errors } });
  const wanted = {
    name: "ApiError",
    status: 422,
    code: "invalid",
    message: "No.",
    fields: { prompt: "Too long." },
    isPassing: false,
  };
  await assert.rejects(submitJob({}, "k"), (error) => {
    for (const [name, value] of Object.entries(wanted)) assert.deepEqual(error[name], value);
    return true;
  });
});

test("an error without a body still has a code", async (context) => {
  serveAnswers(context, { status: 503, headers: { "Retry-After": "7" } });
  await assert.rejects(listJobs({}), { code: "http_503", retryAfterMs: 7000, isPassing: true });
});

test("a lost network is a passing error", async (context) => {
  serveAnswers(context);
  await assert.rejects(listJobs({}), { status: 0, code: "network", isPassing: true });
});

test("an answer that is not JSON is an error", async (context) => {
  context.mock.method(globalThis, "fetch", async () => new Response("<html>", { status: 200 }));
  await assert.rejects(listJobs({}), { code: "unreadable" });
});

test("an aborted request rejects with the reason, not a network error", async (context) => {
  serveAnswers(context);
  const leaving = new AbortController();
  leaving.abort();
  await assert.rejects(listJobs({}, { signal: leaving.signal }), { name: "AbortError" });
});

test("a conditional request for a job accepts 304 as an answer", async (context) => {
  const asked = serveAnswers(context, { status: 304, headers: { ETag: '"a"' } });
  const answer = await getJob("a/b", { etag: '"a"', waitS: 20 });
  assert.equal(asked[0].path, "/v1/jobs/a%2Fb?wait=20");
  assert.equal(asked[0].headers["If-None-Match"], '"a"');
  assert.deepEqual([answer.status, answer.data], [304, null]);
});

test("a null cursor is left out of the address", async (context) => {
  const asked = serveAnswers(context, { body: { jobs: [], next: null } });
  await listJobs({ cursor: null, limit: 24 });
  assert.equal(asked[0].path, "/v1/jobs?limit=24");
});

test("an answer without a body is no error", async (context) => {
  serveAnswers(context, { status: 204 });
  assert.equal((await deleteJob("j")).status, 204);
});

test("Retry-After is read as seconds and as a date", () => {
  const now = Date.parse("2026-01-01T00:00:00Z");
  assert.equal(readRetryAfter("3"), 3000);
  assert.equal(readRetryAfter("Thu, 01 Jan 2026 00:00:05 GMT", now), 5000);
  assert.equal(readRetryAfter("Wed, 31 Dec 2025 00:00:00 GMT", now), 0);
  assert.equal(readRetryAfter("soon"), null);
  assert.equal(readRetryAfter(null), null);
});
