# The permissions of each function besides connecting to the database and writing its log. The table follows the code:
# a function that signs a URL needs the permission for what the URL does, since S3 checks the signer's permissions.

locals {
  permissions = {
    # shared/jobs/views.py and shared/gallery/service.py sign URLs of pictures.
    show_pictures = {
      actions   = ["s3:GetObject"]
      resources = ["${var.bucket_arn}/jobs/*"]
    }
    # shared/scenes/views.py signs URLs of the catalogue's pictures.
    show_scenes = {
      actions   = ["s3:GetObject"]
      resources = ["${var.bucket_arn}/scenes/*"]
    }
    # shared/jobs/uploads.py signs the form with which a browser uploads.
    take_uploads = {
      actions   = ["s3:PutObject"]
      resources = ["${var.bucket_arn}/uploads/*"]
    }
    # shared/jobs/uploads.py reads the first bytes of a start picture.
    look_at_uploads = {
      actions   = ["s3:GetObject"]
      resources = ["${var.bucket_arn}/uploads/*"]
    }
    # shared/jobs/archives.py stores ZIP files and signs their URLs.
    make_archives = {
      actions   = ["s3:AbortMultipartUpload", "s3:GetObject", "s3:PutObject"]
      resources = ["${var.bucket_arn}/archives/*"]
    }
    # shared/exports/service.py signs URLs of ZIP files.
    show_exports = {
      actions   = ["s3:GetObject"]
      resources = ["${var.bucket_arn}/exports/*"]
    }
    # Checks the bucket (shared/metrics/health.py). It also makes S3 answer "missing" instead of "forbidden".
    see_bucket = {
      actions   = ["s3:ListBucket"]
      resources = [var.bucket_arn]
    }
    # shared/clients/broker.py; Celery asks for the queue's length before it sends its first message.
    wake_poller = {
      actions   = ["sqs:SendMessage", "sqs:GetQueueAttributes"]
      resources = [var.queue_arn]
    }
  }

  needs = {
    status  = ["show_pictures"]
    submit  = ["show_pictures", "look_at_uploads", "see_bucket", "wake_poller"]
    batches = ["show_pictures", "make_archives", "look_at_uploads", "see_bucket", "wake_poller"]

    stylizations = ["show_pictures", "look_at_uploads", "see_bucket", "wake_poller"]
    likenesses   = ["look_at_uploads", "see_bucket", "wake_poller"]

    scenes    = ["show_pictures", "wake_poller"]
    catalogue = ["show_scenes"]

    list    = ["show_pictures"]
    picture = ["show_pictures"]
    gallery = ["show_pictures"]
    publish = ["show_pictures"]
    cancel  = ["show_pictures", "wake_poller"]
    upload  = ["take_uploads"]
    exports = ["show_exports"]
    health  = ["see_bucket"]
  }
}

data "aws_iam_policy_document" "trust" {
  statement {
    actions = ["sts:AssumeRole"]

    principals {
      type        = "Service"
      identifiers = ["lambda.amazonaws.com"]
    }
  }
}

data "aws_iam_policy_document" "this" {
  for_each = local.functions

  statement {
    sid       = "WriteItsLog"
    actions   = ["logs:CreateLogStream", "logs:PutLogEvents"]
    resources = ["${aws_cloudwatch_log_group.this[each.key].arn}:log-stream:*"]
  }

  dynamic "statement" {
    for_each = var.database_user_arn == null ? [] : [var.database_user_arn]

    content {
      sid       = "Connect"
      actions   = ["rds-db:connect"]
      resources = [statement.value]
    }
  }

  dynamic "statement" {
    for_each = toset(lookup(local.needs, each.key, []))

    content {
      sid       = replace(title(replace(statement.value, "_", " ")), " ", "")
      actions   = local.permissions[statement.value].actions
      resources = local.permissions[statement.value].resources
    }
  }

  # functions/oidc.py reads it through Services.oidc_client_secret.
  dynamic "statement" {
    for_each = local.signs_in[each.key] ? [var.sign_in.secret_arn] : []

    content {
      sid       = "ReadClientSecret"
      actions   = ["secretsmanager:GetSecretValue"]
      resources = [statement.value]
    }
  }

  dynamic "statement" {
    for_each = var.tracing ? ["tracing"] : []

    content {
      sid       = "Trace"
      actions   = ["xray:PutTraceSegments", "xray:PutTelemetryRecords"]
      resources = ["*"] # X-Ray knows no narrower resource for these two.
    }
  }
}

resource "aws_iam_role" "this" {
  for_each = local.functions

  name               = "${var.name}-${each.key}"
  assume_role_policy = data.aws_iam_policy_document.trust.json
}

resource "aws_iam_role_policy" "this" {
  for_each = local.functions

  name   = "easel"
  role   = aws_iam_role.this[each.key].id
  policy = data.aws_iam_policy_document.this[each.key].json
}
