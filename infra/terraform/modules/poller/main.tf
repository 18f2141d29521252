# The worker as a Fargate task. Any number of them may run, so a second task needs no coordination. A one-off
# task runs a single command instead: the migration of a roll-out, or a command of the operator.

data "aws_region" "current" {}

locals {
  image = "${aws_ecr_repository.app.repository_url}@${var.image_digest}"

  settings = merge(var.settings, var.generators_secret_version > 0 ? {} : { EASEL_GENERATORS = join(",", var.generators) })

  base = {
    image                  = local.image
    user                   = "10001"
    readonlyRootFilesystem = true
    linuxParameters        = { initProcessEnabled = true }
    mountPoints            = [{ sourceVolume = "tmp", containerPath = "/tmp", readOnly = false }]
    environment            = [for name, value in merge(local.settings, { AWS_REGION = data.aws_region.current.region }) : { name = name, value = value }]
    secrets = concat(
      [for secret in aws_secretsmanager_secret.generators : { name = "EASEL_GENERATORS", valueFrom = secret.arn }],
      [for name, arn in var.generator_keys : { name = name, valueFrom = arn }],
    )
  }

  # A file that the working loop touches and poller/heartbeat.py checks.
  health = { interval = 30, timeout = 10, retries = 3, startPeriod = 60 }

  log = {
    for container in ["worker", "operate"] : container => {
      logDriver = "awslogs"
      options = {
        awslogs-group         = aws_cloudwatch_log_group.this.name
        awslogs-region        = data.aws_region.current.region
        awslogs-stream-prefix = container
      }
    }
  }

  worker = merge(local.base, {
    name             = "worker"
    command          = ["python", "-m", "poller", "worker", "--concurrency", tostring(var.concurrency), "--heartbeat", "/tmp/worker"]
    essential        = true
    logConfiguration = local.log["worker"]
    healthCheck      = merge(local.health, { command = ["CMD", "python", "-m", "poller.heartbeat", "/tmp/worker"] })

    # After the stop signal, a worker finishes or releases its current step within 20 s (poller/app.py).
    stopTimeout = var.stop_timeout_s
  })

  operate = merge(local.base, {
    name             = "operate"
    command          = ["python", "-m", "alembic", "upgrade", "head"]
    essential        = true
    logConfiguration = local.log["operate"]
  })
}

resource "aws_ecs_cluster" "this" {
  #checkov:skip=CKV_AWS_65:Container Insights costs more than the poller; its own metrics are sufficient
  name = var.name
}

resource "aws_ecs_task_definition" "poller" {
  family                   = "${var.name}-poller"
  requires_compatibilities = ["FARGATE"]
  network_mode             = "awsvpc"
  cpu                      = var.cpu
  memory                   = var.memory_mb
  execution_role_arn       = aws_iam_role.execution.arn
  task_role_arn            = aws_iam_role.task.arn
  container_definitions    = jsonencode([local.worker])

  runtime_platform {
    operating_system_family = "LINUX"
    cpu_architecture        = "ARM64"
  }

  volume {
    name = "tmp"
  }
}

resource "aws_ecs_task_definition" "operate" {
  family                   = "${var.name}-operate"
  requires_compatibilities = ["FARGATE"]
  network_mode             = "awsvpc"
  cpu                      = 256
  memory                   = 512
  execution_role_arn       = aws_iam_role.execution.arn
  task_role_arn            = aws_iam_role.task.arn
  container_definitions    = jsonencode([local.operate])

  runtime_platform {
    operating_system_family = "LINUX"
    cpu_architecture        = "ARM64"
  }

  volume {
    name = "tmp"
  }
}

resource "aws_ecs_service" "poller" {
  #checkov:skip=CKV_AWS_333:without a NAT gateway a public address is the only way out; its group admits no traffic
  name            = "poller"
  cluster         = aws_ecs_cluster.this.id
  task_definition = aws_ecs_task_definition.poller.arn
  desired_count   = var.tasks.least
  launch_type     = "FARGATE"
  propagate_tags  = "SERVICE"

  # The new task runs before the old one is stopped; two at the same time do no harm.
  deployment_minimum_healthy_percent = 100
  deployment_maximum_percent         = 200

  deployment_circuit_breaker {
    enable   = true
    rollback = true
  }

  network_configuration {
    subnets          = var.subnet_ids
    security_groups  = [var.group_id]
    assign_public_ip = var.public_address
  }

  lifecycle {
    ignore_changes = [desired_count]
  }
}

resource "aws_cloudwatch_log_group" "this" {
  #checkov:skip=CKV_AWS_338:the variable log_retention_days decides; a year of logs is a cost, not a safeguard
  #checkov:skip=CKV_AWS_158:encrypted with the key of AWS unless kms_key_arn names another
  name              = "/easel/${var.name}/poller"
  retention_in_days = var.log_retention_days
  kms_key_id        = var.kms_key_arn
}
