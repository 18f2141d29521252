# A firewall with one rule, where nothing else limits a single caller: an HTTP API throttles by route, all callers
# together, and takes no firewall itself. CloudFront takes only firewalls of us-east-1.

resource "aws_wafv2_web_acl" "rate" {
  #checkov:skip=CKV_AWS_192:no part of Easel is written in Java
  #checkov:skip=CKV2_AWS_31:a log of this firewall would hold addresses and links, which are permissions
  count = var.requests_per_address == null ? 0 : 1

  region      = "us-east-1"
  name        = "${var.name}-rate"
  description = "Easel: requests of one address"
  scope       = "CLOUDFRONT"

  default_action {
    allow {}
  }

  rule {
    name     = "rate"
    priority = 1

    action {
      block {
        custom_response {
          response_code = 429

          response_header {
            name  = "Retry-After"
            value = "60"
          }
        }
      }
    }

    statement {
      rate_based_statement {
        aggregate_key_type    = "IP"
        evaluation_window_sec = 60
        limit                 = var.requests_per_address
      }
    }

    visibility_config {
      cloudwatch_metrics_enabled = true
      metric_name                = "${var.name}-rate"
      sampled_requests_enabled   = false
    }
  }

  visibility_config {
    cloudwatch_metrics_enabled = true
    metric_name                = "${var.name}-firewall"
    sampled_requests_enabled   = false
  }

  lifecycle {
    precondition {
      condition     = var.web_acl_arn == null
      error_message = "A distribution has one firewall: set web_acl_arn or requests_per_address, not both."
    }
  }
}
