data "aws_caller_identity" "current" {}

data "aws_iam_policy_document" "trust" {
  statement {
    actions = ["sts:AssumeRole"]

    principals {
      type        = "Service"
      identifiers = ["ecs-tasks.amazonaws.com"]
    }

    condition {
      test     = "StringEquals"
      variable = "aws:SourceAccount"
      values   = [data.aws_caller_identity.current.account_id]
    }
  }
}

# The permissions that Fargate needs to start the containers.
data "aws_iam_policy_document" "execution" {
  statement {
    sid       = "LogInToTheRegistry"
    actions   = ["ecr:GetAuthorizationToken"]
    resources = ["*"] # The registry supports no narrower resource for this action.
  }

  statement {
    sid       = "FetchTheImage"
    actions   = ["ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"]
    resources = [aws_ecr_repository.app.arn]
  }

  statement {
    sid       = "WriteItsLog"
    actions   = ["logs:CreateLogStream", "logs:PutLogEvents"]
    resources = ["${aws_cloudwatch_log_group.this.arn}:log-stream:*"]
  }

  dynamic "statement" {
    for_each = aws_secretsmanager_secret.generators

    content {
      sid       = "ReadTheGenerators"
      actions   = ["secretsmanager:GetSecretValue"]
      resources = [statement.value.arn]
    }
  }

  dynamic "statement" {
    for_each = length(var.generator_keys) > 0 ? [values(var.generator_keys)] : []

    content {
      sid       = "ReadTheGeneratorsKeys"
      actions   = ["secretsmanager:GetSecretValue"]
      resources = statement.value
    }
  }
}

# The permissions of the poller, and of the operator's commands, which run with the same role.
data "aws_iam_policy_document" "task" {
  statement {
    sid       = "Connect"
    actions   = ["rds-db:connect"]
    resources = [var.database_user_arn]
  }

  statement {
    sid     = "KeepPictures"
    actions = ["s3:AbortMultipartUpload", "s3:DeleteObject", "s3:GetObject", "s3:PutObject"]
    resources = [
      "${var.bucket_arn}/jobs/*",
      "${var.bucket_arn}/scenes/*",
      "${var.bucket_arn}/exports/*",
      "${var.bucket_arn}/conformance/*", # `easel check` checks the storage here
    ]
  }

  statement {
    sid       = "ReadAndClearUploads"
    actions   = ["s3:DeleteObject", "s3:GetObject"]
    resources = ["${var.bucket_arn}/uploads/*"]
  }

  statement {
    sid       = "ClearArchives"
    actions   = ["s3:DeleteObject"]
    resources = ["${var.bucket_arn}/archives/*"]
  }

  statement {
    sid       = "ListPictures"
    actions   = ["s3:ListBucket"]
    resources = [var.bucket_arn]
  }

  statement {
    sid = "WakeAndBeWoken"
    actions = [
      "sqs:ChangeMessageVisibility",
      "sqs:DeleteMessage",
      "sqs:GetQueueAttributes",
      "sqs:ReceiveMessage",
      "sqs:SendMessage",
    ]
    resources = [var.queue_arn]
  }

  dynamic "statement" {
    for_each = var.mail == null ? [] : [var.mail]

    content {
      sid       = "SendMail"
      actions   = ["ses:SendEmail", "ses:SendRawEmail"]
      resources = statement.value.sending_arns

      condition {
        test     = "StringEquals"
        variable = "ses:FromAddress"
        values   = [statement.value.from_address]
      }
    }
  }

  dynamic "statement" {
    for_each = var.mail == null ? [] : [var.mail]

    content {
      sid       = "ReadWhatSesReports"
      actions   = ["sqs:DeleteMessage", "sqs:GetQueueAttributes", "sqs:ReceiveMessage"]
      resources = [statement.value.events_arn]
    }
  }
}

resource "aws_iam_role" "execution" {
  name               = "${var.name}-poller-start"
  assume_role_policy = data.aws_iam_policy_document.trust.json
}

resource "aws_iam_role_policy" "execution" {
  name   = "easel"
  role   = aws_iam_role.execution.id
  policy = data.aws_iam_policy_document.execution.json
}

resource "aws_iam_role" "task" {
  name               = "${var.name}-poller"
  assume_role_policy = data.aws_iam_policy_document.trust.json
}

resource "aws_iam_role_policy" "task" {
  name   = "easel"
  role   = aws_iam_role.task.id
  policy = data.aws_iam_policy_document.task.json
}
