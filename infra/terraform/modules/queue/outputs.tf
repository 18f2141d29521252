output "arn" {
  description = "The queue's ARN, for the permissions."
  value       = aws_sqs_queue.this.arn
}

output "broker_url" {
  description = "The queue as EASEL_BROKER_URL names it: sqs://, or sqs+http:// for an emulator."
  value       = replace(replace(aws_sqs_queue.this.url, "https://", "sqs://"), "http://", "sqs+http://")
}

output "dead_letters" {
  description = "The name of the queue of dead letters, for its alarm."
  value       = aws_sqs_queue.dead.name
}
