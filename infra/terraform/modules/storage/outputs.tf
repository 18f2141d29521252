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
