output "endpoint" {
  description = "The API's own address, https://..., behind CloudFront."
  value       = aws_apigatewayv2_api.this.api_endpoint
}

output "api_id" {
  description = "The API's id, for its metrics."
  value       = aws_apigatewayv2_api.this.id
}

output "route_keys" {
  description = "Every route of the API."
  value       = sort(keys(local.route_table))
}
