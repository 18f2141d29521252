// Maps a path of the site to a file before CloudFront reads the bucket, in the same way as functions/gateway.py.
// Runs as a CloudFront Function (cloudfront-js-2.0).

const FILE_ENDING = /\.[a-z0-9]{1,8}$/;

function handler(event) {
  const request = event.request;
  const path = request.uri;
  if (path === "/v1" || path === "/i") {
    return { statusCode: 404, statusDescription: "Not Found" };
  }
  if (path === "/docs") {
    return { statusCode: 307, statusDescription: "Temporary Redirect", headers: { location: { value: "/docs/" } } };
  }
  if (path === "/docs/") {
    request.uri = "/docs/index.html";
  } else if (!path.startsWith("/docs/") && !FILE_ENDING.test(path)) {
    request.uri = "/index.html";
  }
  return request;
}
