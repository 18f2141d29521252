output "queued" {
  description = "The metric of waiting jobs, by which the poller is scaled."
  value       = { namespace = local.namespace, name = "queued" }
}

output "topic_arn" {
  description = "The topic to which every alarm is published."
  value       = aws_sns_topic.alarms.arn
}
