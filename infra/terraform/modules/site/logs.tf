# Requested paths and clients are not logged: a path under /i/ or /s/ is a permission, a query may contain words of a prompt,
# and a visitor's network address is personal data. The remaining fields show volume, speed and errors. CloudFront's log
# is in us-east-1, regardless of the other resources.

locals {
  logged = [
    "date",
    "time",
    "x-edge-location",
    "x-edge-request-id",
    "x-edge-result-type",
    "cs-method",
    "cs-protocol-version",
    "sc-status",
    "sc-bytes",
    "time-taken",
  ]
}

resource "aws_cloudwatch_log_group" "this" {
  #checkov:skip=CKV_AWS_338:the variable log_retention_days decides; a year of logs is a cost, not a safeguard
  #checkov:skip=CKV_AWS_158:it contains no personal data, and is in another region than a key would be
  region            = "us-east-1"
  name              = "/aws/vendedlogs/${var.name}/site"
  retention_in_days = var.log_retention_days
}

data "aws_iam_policy_document" "delivery" {
  statement {
    sid       = "LogsAreDelivered"
    actions   = ["logs:CreateLogStream", "logs:PutLogEvents"]
    resources = ["${aws_cloudwatch_log_group.this.arn}:log-stream:*"]

    principals {
      type        = "Service"
      identifiers = ["delivery.logs.amazonaws.com"]
    }

    condition {
      test     = "StringEquals"
      variable = "aws:SourceAccount"
      values   = [data.aws_caller_identity.current.account_id]
    }
  }
}

resource "aws_cloudwatch_log_resource_policy" "delivery" {
  region          = "us-east-1"
  policy_name     = "${var.name}-site"
  policy_document = data.aws_iam_policy_document.delivery.json
}

resource "aws_cloudwatch_log_delivery_source" "this" {
  region       = "us-east-1"
  name         = "${var.name}-site"
  log_type     = "ACCESS_LOGS"
  resource_arn = aws_cloudfront_distribution.this.arn
}

resource "aws_cloudwatch_log_delivery_destination" "this" {
  region        = "us-east-1"
  name          = "${var.name}-site"
  output_format = "json"

  delivery_destination_configuration {
    destination_resource_arn = aws_cloudwatch_log_group.this.arn
  }
}

resource "aws_cloudwatch_log_delivery" "this" {
  region                   = "us-east-1"
  delivery_source_name     = aws_cloudwatch_log_delivery_source.this.name
  delivery_destination_arn = aws_cloudwatch_log_delivery_destination.this.arn
  record_fields            = local.logged

  depends_on = [aws_cloudwatch_log_resource_policy.delivery]
}
