output "bucket" {
  description = "The bucket's name, for EASEL_S3_BUCKET."
  value       = aws_s3_bucket.pictures.bucket
}

output "arn" {
  description = "The bucket's ARN, for the permissions."
  value       = aws_s3_bucket.pictures.arn
}

output "origin" {
  description = "The origin from which browsers load the pictures; the site's content-security policy allows it."
  value       = "https://${aws_s3_bucket.pictures.bucket_regional_domain_name}"
}

output "endpoint" {
  description = "Where S3 answers for this bucket, for EASEL_S3_ENDPOINT: the same host without the bucket's name."
  value       = "https://${trimprefix(aws_s3_bucket.pictures.bucket_regional_domain_name, "${aws_s3_bucket.pictures.bucket}.")}"
}
