# The site's files are Terraform resources instead of being copied by a program: each gets its exact media type (a
# module with the wrong one does not run), a deleted file is removed from the bucket, and applying an older checkout
# rolls back. `no-cache` makes browsers and CloudFront revalidate each file, so no invalidation is needed.

data "aws_caller_identity" "current" {}

locals {
  media_types = {
    css  = "text/css; charset=utf-8"
    html = "text/html; charset=utf-8"
    ico  = "image/vnd.microsoft.icon"
    js   = "text/javascript; charset=utf-8"
    json = "application/json"
    map  = "application/json"
    mjs  = "text/javascript; charset=utf-8"
    png  = "image/png"
    svg  = "image/svg+xml"
    txt  = "text/plain; charset=utf-8"
    webp = "image/webp"
  }
}

resource "aws_s3_bucket" "site" {
  #checkov:skip=CKV_AWS_21:no versions: the files are in the repository
  #checkov:skip=CKV_AWS_18:only CloudFront reads it, and it has a separate log
  #checkov:skip=CKV_AWS_144:the files are in the repository; another region gets them by an apply
  #checkov:skip=CKV_AWS_145:encrypted with keys of S3; the files are public in any case
  #checkov:skip=CKV2_AWS_62:nothing listens for events
  bucket        = "${var.name}-site-${data.aws_caller_identity.current.account_id}"
  force_destroy = true
}

resource "aws_s3_bucket_public_access_block" "site" {
  bucket                  = aws_s3_bucket.site.id
  block_public_acls       = true
  block_public_policy     = true
  ignore_public_acls      = true
  restrict_public_buckets = true
}

resource "aws_s3_bucket_ownership_controls" "site" {
  bucket = aws_s3_bucket.site.id

  rule {
    object_ownership = "BucketOwnerEnforced"
  }
}

resource "aws_s3_bucket_server_side_encryption_configuration" "site" {
  bucket = aws_s3_bucket.site.id

  rule {
    apply_server_side_encryption_by_default {
      sse_algorithm = "AES256"
    }
  }
}

resource "aws_s3_bucket_lifecycle_configuration" "site" {
  bucket = aws_s3_bucket.site.id

  rule {
    id     = "unfinished-uploads"
    status = "Enabled"

    filter {}

    abort_incomplete_multipart_upload {
      days_after_initiation = 1
    }
  }
}

data "aws_iam_policy_document" "site" {
  statement {
    sid       = "CloudFrontReads"
    actions   = ["s3:GetObject"]
    resources = ["${aws_s3_bucket.site.arn}/*"]

    principals {
      type        = "Service"
      identifiers = ["cloudfront.amazonaws.com"]
    }

    condition {
      test     = "StringEquals"
      variable = "AWS:SourceArn"
      values   = [aws_cloudfront_distribution.this.arn]
    }
  }

  # With it, a missing file is 404 instead of 403. No listing is exposed: every path that CloudFront requests is a file.
  statement {
    sid       = "CloudFrontHearsWhatIsMissing"
    actions   = ["s3:ListBucket"]
    resources = [aws_s3_bucket.site.arn]

    principals {
      type        = "Service"
      identifiers = ["cloudfront.amazonaws.com"]
    }

    condition {
      test     = "StringEquals"
      variable = "AWS:SourceArn"
      values   = [aws_cloudfront_distribution.this.arn]
    }
  }

  statement {
    sid       = "OnlyOverTls"
    effect    = "Deny"
    actions   = ["s3:*"]
    resources = [aws_s3_bucket.site.arn, "${aws_s3_bucket.site.arn}/*"]

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

resource "aws_s3_bucket_policy" "site" {
  bucket     = aws_s3_bucket.site.id
  policy     = data.aws_iam_policy_document.site.json
  depends_on = [aws_s3_bucket_public_access_block.site]
}

resource "aws_s3_object" "site" {
  #checkov:skip=CKV_AWS_186:encrypted with keys of S3; the files are public in any case
  for_each = fileset(var.site_directory, "**")

  bucket        = aws_s3_bucket.site.bucket
  key           = each.value
  source        = "${var.site_directory}/${each.value}"
  source_hash   = filesha256("${var.site_directory}/${each.value}")
  content_type  = local.media_types[lower(regex("[^.]+$", each.value))]
  cache_control = "no-cache"
}
