// Swagger UI comes from its own package; the service serves it beside this file.
window.SwaggerUIBundle({ url: "/openapi.json", dom_id: "#calls", deepLinking: true, tryItOutEnabled: true });
