# The headers of functions/headers.json, as in the gateway, and one more for TLS, which the gateway does not use.

locals {
  headers     = jsondecode(file("${path.module}/../../../../functions/headers.json"))
  site_policy = replace(local.headers.site["Content-Security-Policy"], "{storage}", var.pictures_origin)
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
      referrer_policy = local.headers.site["Referrer-Policy"]
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
      value    = local.headers.site["Cache-Control"]
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
      content_security_policy = local.headers.docs["Content-Security-Policy"]
      override                = true
    }

    content_type_options {
      override = true
    }

    referrer_policy {
      referrer_policy = local.headers.docs["Referrer-Policy"]
      override        = true
    }

    strict_transport_security {
      access_control_max_age_sec = 31536000
      include_subdomains         = false
      override                   = true
    }
  }
}
