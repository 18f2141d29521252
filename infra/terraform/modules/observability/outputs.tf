output "queued" {
  description = "The metric of waiting jobs, by which the poller is scaled."
  value       = { namespace = local.namespace, name = "queued" }
}

output "topic_arn" {
  description = "The topic that every alarm speaks on."
  value       = aws_sns_topic.alarms.arn
}
