# Postgres, private and encrypted, and in front of it a proxy that pools the connections of many short-lived functions.
# No person knows a password: RDS creates the master's and rotates it every week, only the proxy reads it, and
# clients of the proxy authenticate with an IAM token over TLS.

resource "aws_db_subnet_group" "this" {
  name       = var.name
  subnet_ids = var.subnet_ids
}

resource "aws_db_parameter_group" "this" {
  name_prefix = "${var.name}-"
  family      = "postgres${var.engine_version}"
  description = "TLS alone; nothing of the statements goes into a log, since they hold prompts."

  parameter {
    name  = "rds.force_ssl"
    value = "1"
  }

  parameter {
    name  = "log_min_error_statement"
    value = "panic"
  }

  parameter {
    name  = "log_error_verbosity"
    value = "terse"
  }

  lifecycle {
    create_before_destroy = true
  }
}

resource "aws_db_instance" "this" {
  #checkov:skip=CKV_AWS_118:enhanced monitoring adds nothing that the alarms need; the standard metrics stay
  #checkov:skip=CKV_AWS_353:Performance Insights keeps statements, and statements hold prompts
  #checkov:skip=CKV_AWS_157:a second zone doubles the price: the variable multi_az decides, docs/deploy.md advises
  #checkov:skip=CKV_AWS_293:on unless the variable deletion_protection is false, which checkov does not evaluate
  #checkov:skip=CKV_AWS_133:at least 7 days, ensured by the variable backup_days, which checkov does not evaluate
  #checkov:skip=CKV2_AWS_30:a log of statements would hold prompts
  identifier     = var.name
  engine         = "postgres"
  engine_version = var.engine_version
  instance_class = var.instance_class
  db_name        = "easel"
  username       = "easel"

  manage_master_user_password         = true
  iam_database_authentication_enabled = true

  storage_type          = "gp3"
  allocated_storage     = var.storage_gb
  max_allocated_storage = var.max_storage_gb
  storage_encrypted     = true
  kms_key_id            = var.kms_key_arn

  db_subnet_group_name   = aws_db_subnet_group.this.name
  vpc_security_group_ids = [aws_security_group.database.id]
  parameter_group_name   = aws_db_parameter_group.this.name
  publicly_accessible    = false
  multi_az               = var.multi_az

  backup_retention_period   = var.backup_days
  backup_window             = "03:00-04:00"
  maintenance_window        = "sun:04:30-sun:05:30"
  copy_tags_to_snapshot     = true
  deletion_protection       = var.deletion_protection
  skip_final_snapshot       = !var.deletion_protection
  final_snapshot_identifier = var.deletion_protection ? "${var.name}-last" : null

  auto_minor_version_upgrade      = true
  enabled_cloudwatch_logs_exports = ["postgresql", "upgrade"]

  depends_on = [aws_cloudwatch_log_group.database]
}

resource "aws_cloudwatch_log_group" "database" {
  #checkov:skip=CKV_AWS_338:the variable log_retention_days decides; a year of logs is a cost, not a safeguard
  for_each = toset(["postgresql", "upgrade"])

  name              = "/aws/rds/instance/${var.name}/${each.value}"
  retention_in_days = var.log_retention_days
  kms_key_id        = var.kms_key_arn
}
