output "registry" {
  description = "The repository for the app's image."
  value       = aws_ecr_repository.app.repository_url
}

output "log_group" {
  description = "The poller's log group."
  value       = aws_cloudwatch_log_group.this.name
}

output "operate" {
  description = "The command that runs a one-off task; without overrides it migrates the database."
  value = join(" ", [
    "aws ecs run-task --cluster ${aws_ecs_cluster.this.name} --task-definition ${aws_ecs_task_definition.operate.family}",
    "--launch-type FARGATE --network-configuration",
    "'awsvpcConfiguration={subnets=[${join(",", var.subnet_ids)}],securityGroups=[${var.group_id}],assignPublicIp=${var.public_address ? "ENABLED" : "DISABLED"}}'",
  ])
}
