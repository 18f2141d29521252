# Six alarms, one topic, one e-mail address. docs/operate.md says what to do about each alarm.

locals {
  # The poller's log line of every minute: {"message": "queue", "queued": n, "oldest_queued_s": s, "failed": n, ...}
  queue_line = "{ $.message = \"queue\" }"
  metrics    = { queued = "$.queued", oldest_queued_s = "$.oldest_queued_s", failed = "$.failed" }
  namespace  = "Easel/${var.name}"
}

resource "aws_cloudwatch_log_metric_filter" "queue" {
  for_each = var.poller_log_group == null ? {} : local.metrics

  name           = "${var.name}-${replace(each.key, "_", "-")}"
  log_group_name = var.poller_log_group
  pattern        = local.queue_line

  metric_transformation {
    namespace = local.namespace
    name      = each.key
    value     = each.value
  }
}

resource "aws_sns_topic" "alarms" {
  #checkov:skip=CKV_AWS_26:CloudWatch could not publish with AWS's own key; the texts contain only names and numbers
  name = "${var.name}-alarms"
}

data "aws_caller_identity" "current" {}

data "aws_iam_policy_document" "alarms" {
  statement {
    sid       = "AlarmsAndBudgetsSpeak"
    actions   = ["sns:Publish"]
    resources = [aws_sns_topic.alarms.arn]

    principals {
      type        = "Service"
      identifiers = ["cloudwatch.amazonaws.com", "budgets.amazonaws.com"]
    }

    condition {
      test     = "StringEquals"
      variable = "aws:SourceAccount"
      values   = [data.aws_caller_identity.current.account_id]
    }
  }
}

resource "aws_sns_topic_policy" "alarms" {
  arn    = aws_sns_topic.alarms.arn
  policy = data.aws_iam_policy_document.alarms.json
}

resource "aws_sns_topic_subscription" "email" {
  topic_arn = aws_sns_topic.alarms.arn
  protocol  = "email"
  endpoint  = var.alarm_email
}
