# One task serves thousands of jobs, since no worker sleeps on one. More tasks help when very many jobs end at once. The
# metric is the number of waiting jobs from the poller's log line of every minute. Too few generators make jobs wait as
# well, and more pollers do not help then: hence the low maximum.

resource "aws_appautoscaling_target" "poller" {
  service_namespace  = "ecs"
  resource_id        = "service/${aws_ecs_cluster.this.name}/${aws_ecs_service.poller.name}"
  scalable_dimension = "ecs:service:DesiredCount"
  min_capacity       = var.tasks.least
  max_capacity       = var.tasks.most
}

resource "aws_appautoscaling_policy" "more" {
  name               = "${var.name}-more"
  policy_type        = "StepScaling"
  service_namespace  = aws_appautoscaling_target.poller.service_namespace
  resource_id        = aws_appautoscaling_target.poller.resource_id
  scalable_dimension = aws_appautoscaling_target.poller.scalable_dimension

  step_scaling_policy_configuration {
    adjustment_type         = "ChangeInCapacity"
    metric_aggregation_type = "Maximum"
    cooldown                = 120

    step_adjustment {
      metric_interval_lower_bound = "0"
      scaling_adjustment          = 1
    }
  }
}

resource "aws_appautoscaling_policy" "fewer" {
  name               = "${var.name}-fewer"
  policy_type        = "StepScaling"
  service_namespace  = aws_appautoscaling_target.poller.service_namespace
  resource_id        = aws_appautoscaling_target.poller.resource_id
  scalable_dimension = aws_appautoscaling_target.poller.scalable_dimension

  step_scaling_policy_configuration {
    adjustment_type         = "ChangeInCapacity"
    metric_aggregation_type = "Maximum"
    cooldown                = 600

    step_adjustment {
      metric_interval_upper_bound = "0"
      scaling_adjustment          = -1
    }
  }
}

resource "aws_cloudwatch_metric_alarm" "more" {
  alarm_name          = "${var.name}-poller-more"
  alarm_description   = "Adds a task to the poller; no action is needed."
  namespace           = var.queued.namespace
  metric_name         = var.queued.name
  statistic           = "Maximum"
  period              = 60
  evaluation_periods  = 2
  comparison_operator = "GreaterThanThreshold"
  threshold           = var.tasks.jobs_each
  treat_missing_data  = "notBreaching"
  alarm_actions       = [aws_appautoscaling_policy.more.arn]
}

resource "aws_cloudwatch_metric_alarm" "fewer" {
  alarm_name          = "${var.name}-poller-fewer"
  alarm_description   = "Removes a task from the poller; no action is needed."
  namespace           = var.queued.namespace
  metric_name         = var.queued.name
  statistic           = "Maximum"
  period              = 60
  evaluation_periods  = 10
  comparison_operator = "LessThanThreshold"
  threshold           = var.tasks.jobs_each / 4
  treat_missing_data  = "notBreaching"
  alarm_actions       = [aws_appautoscaling_policy.fewer.arn]
}
