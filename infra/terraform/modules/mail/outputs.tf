output "url" {
  description = "SES as EASEL_MAIL_URL names it."
  value       = "ses://${data.aws_region.current.region}"
}

output "sending_arns" {
  description = "The ARNs that a role needs to send mail: the domain's, and the configuration set's."
  value       = [aws_sesv2_email_identity.this.arn, aws_sesv2_configuration_set.this.arn]
}

output "dns_records" {
  description = "The CNAME records for DKIM, each as name and value."
  value = [
    for token in try(aws_sesv2_email_identity.this.dkim_signing_attributes[0].tokens, []) : {
      name  = "${token}._domainkey.${var.domain}"
      value = "${token}.dkim.amazonses.com"
    }
  ]
}

output "events_url" {
  description = "The queue of SES's reports as EASEL_MAIL_EVENTS_URL names it: sqs://, or sqs+http:// for an emulator."
  value       = replace(replace(aws_sqs_queue.events.url, "https://", "sqs://"), "http://", "sqs+http://")
}

output "events_arn" {
  description = "That queue's ARN, for the permissions."
  value       = aws_sqs_queue.events.arn
}

output "dead_letters" {
  description = "The name of the queue of the reports that could not be read, for its alarm."
  value       = aws_sqs_queue.events_dead.name
}
