output "api_id" {
  description = "The HTTP API's id: an emulator knows it by the name <id>.execute-api.localhost."
  value       = module.gateway.api_id
}

output "route_keys" {
  description = "Every route of the API."
  value       = module.gateway.route_keys
}
