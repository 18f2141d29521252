resource "aws_cloudwatch_metric_alarm" "failed_jobs" {
  count = var.poller_log_group == null ? 0 : 1

  alarm_name          = "${var.name}-failed-jobs"
  alarm_description   = "Jobs failed: more than ${var.thresholds.failed_jobs} within five minutes."
  namespace           = local.namespace
  metric_name         = "failed"
  statistic           = "Sum"
  period              = 300
  evaluation_periods  = 1
  comparison_operator = "GreaterThanThreshold"
  threshold           = var.thresholds.failed_jobs
  treat_missing_data  = "notBreaching"
  alarm_actions       = [aws_sns_topic.alarms.arn]
  ok_actions          = [aws_sns_topic.alarms.arn]
}

# A silent poller is as bad as a slow one, so missing data counts as breaching.
resource "aws_cloudwatch_metric_alarm" "oldest_queued_job" {
  count = var.poller_log_group == null ? 0 : 1

  alarm_name          = "${var.name}-oldest-queued-job"
  alarm_description   = "A job has waited longer than ${var.thresholds.oldest_queued_s} s for a generator, or the poller is silent."
  namespace           = local.namespace
  metric_name         = "oldest_queued_s"
  statistic           = "Maximum"
  period              = 60
  evaluation_periods  = 5
  comparison_operator = "GreaterThanThreshold"
  threshold           = var.thresholds.oldest_queued_s
  treat_missing_data  = "breaching"
  alarm_actions       = [aws_sns_topic.alarms.arn]
  ok_actions          = [aws_sns_topic.alarms.arn]
}

resource "aws_cloudwatch_metric_alarm" "dead_letters" {
  alarm_name          = "${var.name}-dead-letters"
  alarm_description   = "There are dead letters: workers crash on wake-ups or cannot read them. Jobs continue through the sweep."
  namespace           = "AWS/SQS"
  metric_name         = "ApproximateNumberOfMessagesVisible"
  dimensions          = { QueueName = var.dead_letters }
  statistic           = "Maximum"
  period              = 300
  evaluation_periods  = 1
  comparison_operator = "GreaterThanThreshold"
  threshold           = var.thresholds.dead_letters
  treat_missing_data  = "notBreaching"
  alarm_actions       = [aws_sns_topic.alarms.arn]
  ok_actions          = [aws_sns_topic.alarms.arn]
}

resource "aws_cloudwatch_metric_alarm" "mail_dead_letters" {
  count = var.mail_dead_letters == null ? 0 : 1

  alarm_name          = "${var.name}-mail-dead-letters"
  alarm_description   = "There are reports of SES that the poller could not read. Mail goes on to addresses that bounce."
  namespace           = "AWS/SQS"
  metric_name         = "ApproximateNumberOfMessagesVisible"
  dimensions          = { QueueName = var.mail_dead_letters }
  statistic           = "Maximum"
  period              = 300
  evaluation_periods  = 1
  comparison_operator = "GreaterThanThreshold"
  threshold           = var.thresholds.dead_letters
  treat_missing_data  = "notBreaching"
  alarm_actions       = [aws_sns_topic.alarms.arn]
  ok_actions          = [aws_sns_topic.alarms.arn]
}

resource "aws_cloudwatch_metric_alarm" "errors_5xx" {
  alarm_name          = "${var.name}-errors-5xx"
  alarm_description   = "The API answered with a 5xx more than ${var.thresholds.errors_5xx} times within five minutes."
  namespace           = "AWS/ApiGateway"
  metric_name         = "5xx"
  dimensions          = { ApiId = var.api_id }
  statistic           = "Sum"
  period              = 300
  evaluation_periods  = 1
  comparison_operator = "GreaterThanThreshold"
  threshold           = var.thresholds.errors_5xx
  treat_missing_data  = "notBreaching"
  alarm_actions       = [aws_sns_topic.alarms.arn]
  ok_actions          = [aws_sns_topic.alarms.arn]
}

# The budget covers the whole account: unexpected costs seldom have the right tag.
resource "aws_budgets_budget" "spend" {
  count = var.monthly_budget_usd == null ? 0 : 1

  name         = "${var.name}-spend"
  budget_type  = "COST"
  time_unit    = "MONTHLY"
  limit_amount = tostring(var.monthly_budget_usd)
  limit_unit   = "USD"

  dynamic "notification" {
    for_each = { ACTUAL = 80, FORECASTED = 100 }

    content {
      notification_type         = notification.key
      comparison_operator       = "GREATER_THAN"
      threshold                 = notification.value
      threshold_type            = "PERCENTAGE"
      subscriber_sns_topic_arns = [aws_sns_topic.alarms.arn]
    }
  }

  depends_on = [aws_sns_topic_policy.alarms]
}
