// Swagger UI comes from its own package; the gateway serves it beside this file.
window.SwaggerUIBundle({ url: "/openapi.json", dom_id: "#docs", deepLinking: true, tryItOutEnabled: true });
