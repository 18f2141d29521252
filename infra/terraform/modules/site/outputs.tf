output "url" {
  description = "The site's address, for EASEL_PUBLIC_URL."
  value       = "https://${var.domain == null ? aws_cloudfront_distribution.this.domain_name : var.domain.name}"
}

output "distribution_domain" {
  description = "CloudFront's own name: a domain's CNAME or ALIAS points at it."
  value       = aws_cloudfront_distribution.this.domain_name
}
