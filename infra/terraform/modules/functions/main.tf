# One Lambda function for each distinct name of the manifest, all from one bundle. Memory and time-out are the maximum
# over its routes.

locals {
  routes = jsondecode(file("${path.module}/../../../../functions/manifest.json"))

  functions = {
    for name in distinct(local.routes[*].name) : name => {
      timeout_s = max([for route in local.routes : route.timeout_s if route.name == name]...)
      memory_mb = max([for route in local.routes : route.memory_mb if route.name == name]...)
    }
  }

  # Only this function calls the OpenID Connect provider, and has the secret of the client there.
  signs_in = { for name in keys(local.functions) : name => name == "oidc" && var.sign_in != null }

  # The functions know the generators' protocols but no credentials: they never call a generator.
  environment = merge(var.settings, { EASEL_GENERATORS = join(",", var.generators) })
}

resource "aws_lambda_function" "this" {
  #checkov:skip=CKV_AWS_115:reserved by the variable reserved_concurrency; what reserves nothing shares the account's
  #checkov:skip=CKV_AWS_116:every call is answered to its caller; there is no event that could be lost
  #checkov:skip=CKV_AWS_117:in the network wherever there is one; an emulator has none
  #checkov:skip=CKV_AWS_173:no secret is in the environment; a key of KMS would cost a call for every cold start
  #checkov:skip=CKV_AWS_50:X-Ray is off unless the variable tracing asks for it
  #checkov:skip=CKV_AWS_272:the bundle is reproducible, and its hash is in the plan
  for_each = local.functions

  function_name                  = "${var.name}-${each.key}"
  description                    = "Easel: ${each.key}"
  role                           = aws_iam_role.this[each.key].arn
  handler                        = "functions.${each.key}.handler"
  runtime                        = "python3.13"
  architectures                  = ["arm64"]
  filename                       = var.bundle
  source_code_hash               = filebase64sha256(var.bundle)
  timeout                        = each.value.timeout_s
  memory_size                    = each.value.memory_mb
  reserved_concurrent_executions = lookup(var.reserved_concurrency, each.key, -1)

  environment {
    variables = merge(local.environment, local.signs_in[each.key] ? { EASEL_OIDC_CLIENT_SECRET_SECRET = var.sign_in.secret_arn } : {})
  }

  dynamic "vpc_config" {
    for_each = var.network == null ? [] : [var.network]

    content {
      subnet_ids         = vpc_config.value.subnet_ids
      security_group_ids = concat([vpc_config.value.group_id], local.signs_in[each.key] ? [var.sign_in.group_id] : [])
    }
  }

  tracing_config {
    mode = var.tracing ? "Active" : "PassThrough"
  }

  depends_on = [aws_cloudwatch_log_group.this, aws_iam_role_policy.this, aws_iam_role_policy.network]

  lifecycle {
    precondition {
      condition     = alltrue([for name in keys(var.reserved_concurrency) : contains(keys(local.functions), name)])
      error_message = "reserved_concurrency names a function that functions/manifest.json does not have."
    }

    precondition {
      condition     = alltrue([for name in keys(local.needs) : contains(keys(local.functions), name)])
      error_message = "permissions.tf names a function that functions/manifest.json does not have."
    }
  }
}

resource "aws_cloudwatch_log_group" "this" {
  #checkov:skip=CKV_AWS_338:the variable log_retention_days decides; a year of logs is a cost, not a safeguard
  #checkov:skip=CKV_AWS_158:encrypted with the key of AWS unless kms_key_arn names another
  for_each = local.functions

  name              = "/aws/lambda/${var.name}-${each.key}"
  retention_in_days = var.log_retention_days
  kms_key_id        = var.kms_key_arn
}
