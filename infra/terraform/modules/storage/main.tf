# The pictures. The bucket cannot be read without a signature; the functions and the poller sign URLs.

data "aws_caller_identity" "current" {}

locals {
  bucket = coalesce(var.bucket, "${var.name}-pictures-${data.aws_caller_identity.current.account_id}")
}

resource "aws_s3_bucket" "pictures" {
  #checkov:skip=CKV_AWS_21:no versions: a key is written once and never again, and what people delete must be gone
  #checkov:skip=CKV_AWS_18:an access log would repeat signed addresses, which are permissions
  #checkov:skip=CKV_AWS_144:a copy in another region doubles the price; docs/deploy.md says how to switch it on
  #checkov:skip=CKV_AWS_145:encrypted with keys of S3; a key of KMS would cost a call for every picture looked at
  #checkov:skip=CKV2_AWS_62:nothing listens for events: a picture exists once its row is in Postgres
  bucket        = local.bucket
  force_destroy = var.force_destroy
}

resource "aws_s3_bucket_public_access_block" "pictures" {
  bucket                  = aws_s3_bucket.pictures.id
  block_public_acls       = true
  block_public_policy     = true
  ignore_public_acls      = true
  restrict_public_buckets = true
}

resource "aws_s3_bucket_ownership_controls" "pictures" {
  bucket = aws_s3_bucket.pictures.id

  rule {
    object_ownership = "BucketOwnerEnforced"
  }
}

resource "aws_s3_bucket_server_side_encryption_configuration" "pictures" {
  bucket = aws_s3_bucket.pictures.id

  rule {
    apply_server_side_encryption_by_default {
      sse_algorithm = "AES256"
    }
  }
}

data "aws_iam_policy_document" "tls_only" {
  statement {
    sid       = "OnlyOverTls"
    effect    = "Deny"
    actions   = ["s3:*"]
    resources = [aws_s3_bucket.pictures.arn, "${aws_s3_bucket.pictures.arn}/*"]

    principals {
      type        = "*"
      identifiers = ["*"]
    }

    condition {
      test     = "Bool"
      variable = "aws:SecureTransport"
      values   = ["false"]
    }
  }
}

resource "aws_s3_bucket_policy" "pictures" {
  count = var.tls_only ? 1 : 0

  bucket     = aws_s3_bucket.pictures.id
  policy     = data.aws_iam_policy_document.tls_only.json
  depends_on = [aws_s3_bucket_public_access_block.pictures]
}

# Only the database knows which uploads are abandoned: those that a job uses are kept as long as the job, and the poller
# deletes the others after 24 hours. These rules delete what only the storage knows.
resource "aws_s3_bucket_lifecycle_configuration" "pictures" {
  bucket = aws_s3_bucket.pictures.id

  rule {
    id     = "unfinished-uploads"
    status = "Enabled"

    filter {}

    abort_incomplete_multipart_upload {
      days_after_initiation = 1
    }
  }

  rule {
    id     = "left-by-easel-check"
    status = "Enabled"

    filter {
      prefix = "conformance/"
    }

    expiration {
      days = 1
    }
  }
}

# The site's pages read pictures into ZIP files and send start pictures, straight from the browser.
resource "aws_s3_bucket_cors_configuration" "pictures" {
  bucket = aws_s3_bucket.pictures.id

  cors_rule {
    allowed_origins = var.origins
    allowed_methods = ["GET", "HEAD", "POST"]
    allowed_headers = ["*"]
    expose_headers  = ["ETag"]
    max_age_seconds = 3600
  }
}
