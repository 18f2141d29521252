# A route for each row of the manifest, and no function that may run longer than the API waits.

mock_provider "aws" {}

variables {
  name = "easel"
  functions = {
    for name in distinct(jsondecode(file("../../../../functions/manifest.json"))[*].name) : name => {
      function_name = "easel-${name}"
      arn           = "arn:aws:lambda:us-east-1:123456789012:function:easel-${name}"
      invoke_arn    = "arn:aws:apigateway:us-east-1:lambda:path/functions/easel-${name}/invocations"
      timeout_s     = 28
    }
  }
}

run "as_many_as_the_manifest_has" {
  command = plan

  assert {
    condition     = toset([for key in keys(aws_apigatewayv2_route.this) : key if !startswith(key, "HEAD ")]) == toset([for route in jsondecode(file("../../../../functions/manifest.json")) : "${route.method} ${route.path}"])
    error_message = "The routes are not those of the manifest."
  }

  assert {
    condition     = toset([for key in keys(aws_apigatewayv2_route.this) : trimprefix(key, "HEAD ") if startswith(key, "HEAD ")]) == toset([for key in keys(aws_apigatewayv2_route.this) : trimprefix(key, "GET ") if startswith(key, "GET ")])
    error_message = "HEAD has not the routes of GET."
  }

  assert {
    condition     = alltrue([for integration in aws_apigatewayv2_integration.this : integration.timeout_milliseconds == 29000])
    error_message = "The API waits a second longer than the function may run."
  }
}

run "an_origin_is_no_wildcard" {
  command = plan

  variables {
    cors_origins = ["*"]
  }

  expect_failures = [var.cors_origins]
}

run "an_origin_is_written_as_browsers_send_it" {
  command = plan

  variables {
    cors_origins = ["https://Easel.example.com:443"]
  }

  expect_failures = [var.cors_origins]
}

run "a_throttle_is_for_a_function" {
  command = plan

  variables {
    function_throttles = { missing = { rate = 1, burst = 1 } }
  }

  expect_failures = [aws_apigatewayv2_stage.this]
}
