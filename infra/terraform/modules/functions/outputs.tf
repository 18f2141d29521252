output "functions" {
  description = "For each function its name, its ARN, the ARN by which an API calls it, and its time-out in seconds."
  value = {
    for name, function in aws_lambda_function.this : name => {
      function_name = function.function_name
      arn           = function.arn
      invoke_arn    = function.invoke_arn
      timeout_s     = local.functions[name].timeout_s
    }
  }
}

output "log_groups" {
  description = "The log group of each function."
  value       = { for name, group in aws_cloudwatch_log_group.this : name => group.name }
}
