# The headers of functions/gateway.py, word for word; a test compares them. The one header more is for TLS alone, which
# the gateway does not speak.

locals {
  site_policy = "default-src 'self'; img-src 'self' data: blob: ${var.pictures_origin}; connect-src 'self' ${var.pictures_origin}; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; object-src 'none'; require-trusted-types-for 'script'; trusted-types 'none'"
  docs_policy = "default-src 'self'; img-src 'self' data:; style-src 'self' 'unsafe-inline'; frame-ancestors 'none'"
}

resource "aws_cloudfront_response_headers_policy" "site" {
  #checkov:skip=CKV_AWS_259:one year is set; checkov wants subdomains too, which are not Easel's to decide
  name    = "${var.name}-site"
  comment = "The site's pages and modules."

  security_headers_config {
    content_security_policy {
      content_security_policy = local.site_policy
      override                = true
    }

    content_type_options {
      override = true
    }

    referrer_policy {
      referrer_policy = "same-origin"
      override        = true
    }

    strict_transport_security {
      access_control_max_age_sec = 31536000
      include_subdomains         = false
      override                   = true
    }
  }

  custom_headers_config {
    items {
      header   = "Cache-Control"
      value    = "no-cache"
      override = true
    }
  }
}

resource "aws_cloudfront_response_headers_policy" "docs" {
  #checkov:skip=CKV_AWS_259:one year is set; checkov wants subdomains too, which are not Easel's to decide
  name    = "${var.name}-docs"
  comment = "Swagger UI, which writes styles into its page."

  security_headers_config {
    content_security_policy {
      content_security_policy = local.docs_policy
      override                = true
    }

    strict_transport_security {
      access_control_max_age_sec = 31536000
      include_subdomains         = false
      override                   = true
    }
  }
}
