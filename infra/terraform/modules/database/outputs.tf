output "url" {
  description = "EASEL_DATABASE_URL without a password: EASEL_DATABASE_AUTH=iam makes a token for each connection."
  value       = "postgresql://${aws_db_instance.this.username}@${aws_db_proxy.this.endpoint}:5432/${aws_db_instance.this.db_name}?sslmode=require"
}

output "user_arn" {
  description = "The ARN that a role needs rds-db:connect for."
  value       = "${replace(replace(aws_db_proxy.this.arn, ":rds:", ":rds-db:"), ":db-proxy:", ":dbuser:")}/${aws_db_instance.this.username}"
}
