# One origin for people and programs: the site's files from a private bucket, the API and the lasting links from the
# HTTP API, behind one CloudFront distribution.

locals {
  api_host = replace(var.api_endpoint, "https://", "")

  # Policies managed by AWS; their ids are the same in every account.
  caching_optimized        = "658327ea-f89d-4fab-a63d-7e88639e58f6"
  caching_disabled         = "4135ea2d-6df8-44a3-9df3-4b5a84be39ad"
  all_viewer_but_host_name = "b689b0a8-53d0-40ab-baf2-68738e2966ac"

  # Neither the API's answers nor the links' are cached: the first are personal, the second are `private` and valid for
  # a minute. Cookies, Authorization and the whole query are passed on.
  api_behaviours = {
    "/v1/*" = ["GET", "HEAD", "OPTIONS", "PUT", "POST", "PATCH", "DELETE"]
    "/i/*"  = ["GET", "HEAD", "OPTIONS"]
    "/s/*"  = ["GET", "HEAD", "OPTIONS"]
  }

  docs_behaviours = ["/docs", "/docs/*"]
}

resource "aws_cloudfront_origin_access_control" "site" {
  name                              = "${var.name}-site"
  description                       = "Only CloudFront reads the site's bucket."
  origin_access_control_origin_type = "s3"
  signing_behavior                  = "always"
  signing_protocol                  = "sigv4"
}

resource "aws_cloudfront_function" "address" {
  name    = "${var.name}-address"
  comment = "What does not end like a file is index.html."
  runtime = "cloudfront-js-2.0"
  publish = true
  code    = file("${path.module}/address.js")
}

resource "aws_cloudfront_distribution" "this" {
  #checkov:skip=CKV_AWS_68:a firewall costs by rule and request: the variables requests_per_address and web_acl_arn are for one
  #checkov:skip=CKV2_AWS_47:the same: a firewall is the operator's choice
  #checkov:skip=CKV_AWS_86:logged by the delivery in logs.tf, which can leave addresses out; the older log cannot
  #checkov:skip=CKV_AWS_310:the bucket and the API have no twin in another region to fail over to
  #checkov:skip=CKV_AWS_374:Easel is for everyone; a firewall can block countries
  #checkov:skip=CKV_AWS_174:TLS 1.2 of 2021 wherever there is a certificate; CloudFront's own certificate has no such option
  #checkov:skip=CKV2_AWS_42:a certificate needs a domain, which is optional
  comment             = "Easel: site, API and links"
  enabled             = true
  is_ipv6_enabled     = true
  http_version        = "http2and3"
  price_class         = var.price_class
  default_root_object = "index.html"
  aliases             = var.domain == null ? [] : [var.domain.name]
  web_acl_id          = var.requests_per_address == null ? var.web_acl_arn : aws_wafv2_web_acl.rate[0].arn

  origin {
    origin_id                = "site"
    domain_name              = aws_s3_bucket.site.bucket_regional_domain_name
    origin_access_control_id = aws_cloudfront_origin_access_control.site.id
  }

  origin {
    origin_id   = "api"
    domain_name = local.api_host

    custom_origin_config {
      http_port                = 80
      https_port               = 443
      origin_protocol_policy   = "https-only"
      origin_ssl_protocols     = ["TLSv1.2"]
      origin_read_timeout      = 31
      origin_keepalive_timeout = 60
    }
  }

  default_cache_behavior {
    target_origin_id           = "site"
    viewer_protocol_policy     = "redirect-to-https"
    allowed_methods            = ["GET", "HEAD"]
    cached_methods             = ["GET", "HEAD"]
    compress                   = true
    cache_policy_id            = local.caching_optimized
    response_headers_policy_id = aws_cloudfront_response_headers_policy.site.id

    function_association {
      event_type   = "viewer-request"
      function_arn = aws_cloudfront_function.address.arn
    }
  }

  dynamic "ordered_cache_behavior" {
    for_each = local.api_behaviours

    content {
      path_pattern             = ordered_cache_behavior.key
      target_origin_id         = "api"
      viewer_protocol_policy   = "https-only"
      allowed_methods          = ordered_cache_behavior.value
      cached_methods           = ["GET", "HEAD"]
      compress                 = true
      cache_policy_id          = local.caching_disabled
      origin_request_policy_id = local.all_viewer_but_host_name
    }
  }

  dynamic "ordered_cache_behavior" {
    for_each = local.docs_behaviours

    content {
      path_pattern               = ordered_cache_behavior.value
      target_origin_id           = "site"
      viewer_protocol_policy     = "redirect-to-https"
      allowed_methods            = ["GET", "HEAD"]
      cached_methods             = ["GET", "HEAD"]
      compress                   = true
      cache_policy_id            = local.caching_optimized
      response_headers_policy_id = aws_cloudfront_response_headers_policy.docs.id

      function_association {
        event_type   = "viewer-request"
        function_arn = aws_cloudfront_function.address.arn
      }
    }
  }

  viewer_certificate {
    cloudfront_default_certificate = var.domain == null
    acm_certificate_arn            = var.domain == null ? null : var.domain.certificate_arn
    ssl_support_method             = var.domain == null ? null : "sni-only"
    minimum_protocol_version       = var.domain == null ? "TLSv1" : "TLSv1.2_2021"
  }

  restrictions {
    geo_restriction {
      restriction_type = "none"
    }
  }
}
