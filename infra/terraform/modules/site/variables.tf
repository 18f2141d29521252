variable "name" {
  type        = string
  description = "The prefix of every name of this installation."

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{1,20}$", var.name))
    error_message = "The name has 2 to 21 lower-case letters, digits and hyphens, and begins with a letter."
  }
}

variable "site_directory" {
  type        = string
  description = "The folder of the site's files, as 'make site' writes it."

  validation {
    condition     = fileexists("${var.site_directory}/index.html")
    error_message = "There is no index.html in this folder: run 'make site' first."
  }
}

variable "api_endpoint" {
  type        = string
  description = "The API's own address."

  validation {
    condition     = can(regex("^https://[^/]+$", var.api_endpoint))
    error_message = "The API's address is https://host without a path."
  }
}

variable "pictures_origin" {
  type        = string
  description = "The origin from which browsers load the pictures."

  validation {
    condition     = can(regex("^https://[^/ ;]+$", var.pictures_origin))
    error_message = "The pictures' origin is https://host without a path."
  }
}

variable "domain" {
  type = object({
    name            = string
    certificate_arn = string
  })
  default     = null
  description = "The site's own name and its ACM certificate (in us-east-1); null for CloudFront's own name."

  validation {
    condition     = var.domain == null || can(regex("^[a-z0-9.-]+\\.[a-z]{2,}$", var.domain.name)) && can(regex("^arn:aws[a-z-]*:acm:us-east-1:", var.domain.certificate_arn))
    error_message = "The name is like easel.example.com, and CloudFront accepts only certificates of us-east-1."
  }
}

variable "web_acl_arn" {
  type        = string
  default     = null
  description = "A firewall (AWS WAF, scope CLOUDFRONT) in front of everything, or null."

  validation {
    condition     = var.web_acl_arn == null || can(regex("^arn:aws[a-z-]*:wafv2:us-east-1:[0-9]+:global/webacl/", var.web_acl_arn))
    error_message = "The firewall is named by its ARN and has the scope CLOUDFRONT."
  }
}

variable "requests_per_address" {
  type        = number
  default     = null
  description = "The requests that one address may make in a minute, by a firewall made for it (it costs about 6 USD a month, and 0.60 USD per million requests), or null for none."

  validation {
    condition     = var.requests_per_address == null || try(var.requests_per_address >= 10 && var.requests_per_address == floor(var.requests_per_address), false)
    error_message = "A rate is a whole number of at least 10 requests in a minute."
  }
}

variable "price_class" {
  type        = string
  default     = "PriceClass_100"
  description = "The CloudFront locations that serve the site; 100 is North America and Europe."

  validation {
    condition     = contains(["PriceClass_100", "PriceClass_200", "PriceClass_All"], var.price_class)
    error_message = "The price class is PriceClass_100, PriceClass_200 or PriceClass_All."
  }
}

variable "log_retention_days" {
  type        = number
  default     = 30
  description = "The number of days for which logs are kept."

  validation {
    condition     = contains([1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731], var.log_retention_days)
    error_message = "CloudWatch keeps logs for 1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545 or 731 days."
  }
}
