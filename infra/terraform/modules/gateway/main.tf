# The HTTP API: a route for each row of the manifest, an integration for each function.
#
# Clients can call its own address and bypass CloudFront. An HTTP API has no resource policy, and a secret header would
# be one more secret in every state file and one more check in every function. No protection depends on CloudFront: each
# function authenticates its caller, and the throttling is here. Only a firewall is bypassed.
#
# The throttling is by route, for all callers together: an HTTP API has neither usage plans, which are for holders of
# keys, nor a firewall. CloudFront's firewall limits single callers (`requests_per_address`, in the module `site`).

locals {
  routes = jsondecode(file("${path.module}/../../../../functions/manifest.json"))
  # Each function answers HEAD as it answers GET; an HTTP API needs a route for it.
  heads       = [for route in local.routes : merge(route, { method = "HEAD" }) if route.method == "GET"]
  route_table = { for route in concat(local.routes, local.heads) : "${route.method} ${route.path}" => route }

  # Without an API Gateway, the functions answer CORS requests from the same declaration.
  cors = jsondecode(file("${path.module}/../../../../functions/headers.json")).cors

  # An HTTP API times out after 30 s. A function that times out a second earlier leaves a line in its log.
  longest_ms = 30000
}

resource "aws_apigatewayv2_api" "this" {
  name          = var.name
  description   = "Easel"
  protocol_type = "HTTP"

  dynamic "cors_configuration" {
    for_each = length(var.cors_origins) == 0 ? [] : [var.cors_origins]

    content {
      allow_origins  = cors_configuration.value
      allow_methods  = local.cors.allow_methods
      allow_headers  = [for name in local.cors.allow_headers : lower(name)]
      expose_headers = [for name in local.cors.expose_headers : lower(name)]
      max_age        = 600
    }
  }
}

resource "aws_apigatewayv2_integration" "this" {
  for_each = var.functions

  api_id                 = aws_apigatewayv2_api.this.id
  integration_type       = "AWS_PROXY"
  integration_method     = "POST"
  integration_uri        = each.value.invoke_arn
  payload_format_version = "2.0"
  timeout_milliseconds   = min(local.longest_ms, (each.value.timeout_s + 1) * 1000)

  lifecycle {
    precondition {
      condition     = (each.value.timeout_s + 1) * 1000 <= local.longest_ms
      error_message = "The function ${each.key} may run longer than the 30 s that an HTTP API waits."
    }
  }
}

resource "aws_apigatewayv2_route" "this" {
  #checkov:skip=CKV_AWS_309:each function itself checks tokens and session cookies, as on a laptop
  for_each = local.route_table

  api_id    = aws_apigatewayv2_api.this.id
  route_key = each.key
  target    = "integrations/${aws_apigatewayv2_integration.this[each.value.name].id}"
}

resource "aws_lambda_permission" "this" {
  for_each = local.route_table

  statement_id  = "api-${substr(sha256(each.key), 0, 16)}"
  action        = "lambda:InvokeFunction"
  function_name = var.functions[each.value.name].function_name
  principal     = "apigateway.amazonaws.com"
  source_arn    = "${aws_apigatewayv2_api.this.execution_arn}/*/${each.value.method}${each.value.path}"
}

resource "aws_apigatewayv2_stage" "this" {
  api_id      = aws_apigatewayv2_api.this.id
  name        = "$default"
  auto_deploy = true

  default_route_settings {
    throttling_rate_limit  = var.throttle.rate
    throttling_burst_limit = var.throttle.burst
  }

  dynamic "route_settings" {
    for_each = { for key, route in local.route_table : key => var.function_throttles[route.name] if contains(keys(var.function_throttles), route.name) }

    content {
      route_key              = route_settings.key
      throttling_rate_limit  = route_settings.value.rate
      throttling_burst_limit = route_settings.value.burst
    }
  }

  # The route as the manifest names it, never the address itself: the id in /i/... and /s/... is a permission, a query may hold
  # words of a prompt, and a visitor's network address is personal.
  access_log_settings {
    destination_arn = aws_cloudwatch_log_group.this.arn
    format = jsonencode({
      request_id         = "$context.requestId"
      time               = "$context.requestTime"
      route              = "$context.routeKey"
      status             = "$context.status"
      response_bytes     = "$context.responseLength"
      latency_ms         = "$context.responseLatency"
      function_ms        = "$context.integrationLatency"
      function_status    = "$context.integrationStatus"
      function_error     = "$context.integrationErrorMessage"
      function_requestid = "$context.integration.requestId"
    })
  }

  lifecycle {
    precondition {
      condition     = alltrue([for name in keys(var.function_throttles) : contains(local.routes[*].name, name)])
      error_message = "function_throttles names a function that functions/manifest.json does not have."
    }
  }

  depends_on = [aws_apigatewayv2_route.this]
}

resource "aws_cloudwatch_log_group" "this" {
  #checkov:skip=CKV_AWS_338:the variable log_retention_days decides; a year of logs is a cost, not a safeguard
  #checkov:skip=CKV_AWS_158:encrypted with the key of AWS unless kms_key_arn names another
  name              = "/aws/vendedlogs/${var.name}/api"
  retention_in_days = var.log_retention_days
  kms_key_id        = var.kms_key_arn
}
