variable "region" {
  type        = string
  default     = "us-east-1"
  description = "The region of everything but CloudFront."

  validation {
    condition     = can(regex("^[a-z]{2}-[a-z]+-[0-9]$", var.region))
    error_message = "A region is named like eu-central-1."
  }
}

variable "name" {
  type        = string
  default     = "easel"
  description = "The prefix of every name of this installation."

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{1,20}$", var.name))
    error_message = "The name has 2 to 21 lower-case letters, digits and hyphens, and begins with a letter."
  }
}

variable "tags" {
  type        = map(string)
  default     = {}
  description = "Additional tags for every resource that supports tags."

  validation {
    condition     = length(var.tags) <= 40
    error_message = "AWS allows 50 tags, and some are Easel's."
  }
}

variable "image_digest" {
  type        = string
  description = "The app's image in the module's own registry, by its digest, so that exactly the pushed image runs."

  validation {
    condition     = can(regex("^sha256:[0-9a-f]{64}$", var.image_digest))
    error_message = "A digest is sha256: and 64 hexadecimal digits; 'docker push' prints it."
  }
}

variable "generators" {
  type        = list(string)
  description = "The generators without credentials, in the form of EASEL_GENERATORS. If there is a secret, its value is used instead."

  validation {
    condition     = length(var.generators) > 0 && alltrue([for address in var.generators : can(regex("^(img_generator|sdapi|openai|horde|glide)\\+https?://[^@,\\s]+$", address))])
    error_message = "Each generator is protocol+url, such as img_generator+https://gpu.example.com?max_in_flight=4, with no name or password in it."
  }

  validation {
    condition = alltrue([
      for address in var.generators :
      contains(var.generator_ports, tonumber(try(regex("://[^/?]+:([0-9]+)", address)[0], strcontains(address, "+https://") ? "443" : "80")))
    ])
    error_message = "The poller may not connect to the port of one of them: add it to generator_ports."
  }
}

variable "generator_keys" {
  type        = map(string)
  default     = {}
  description = "The ARNs of the secrets that hold keys of generators, by the variable that key_env in an address names."

  validation {
    condition = alltrue([
      for name, arn in var.generator_keys :
      can(regex("^[A-Z][A-Z0-9_]{0,99}$", name)) && can(regex("^arn:aws[a-z-]*:secretsmanager:[a-z0-9-]+:[0-9]{12}:secret:[A-Za-z0-9/_+=.@-]+$", arn))
    ])
    error_message = "Each key is a variable such as OPENAI_API_KEY and the ARN of a secret of Secrets Manager."
  }
}

variable "generators_secret" {
  type        = string
  default     = null
  ephemeral   = true
  sensitive   = true
  description = "EASEL_GENERATORS with credentials; stored only in Secrets Manager."

  validation {
    condition     = var.generators_secret == null || can(regex("^(img_generator|sdapi|openai|horde|glide)\\+https?://", var.generators_secret))
    error_message = "EASEL_GENERATORS is a list of protocol+url."
  }
}

variable "generators_secret_version" {
  type        = number
  default     = 0
  description = "0: no secret. Otherwise increase it to write generators_secret again."

  validation {
    condition     = var.generators_secret_version >= 0 && floor(var.generators_secret_version) == var.generators_secret_version
    error_message = "The version is a whole number from 0."
  }
}

variable "generator_ports" {
  type        = set(number)
  default     = [443]
  description = "The ports of generators and AWS to which the poller may connect; must include 443."

  validation {
    condition     = contains(var.generator_ports, 443) && alltrue([for port in var.generator_ports : port >= 1 && port <= 65535])
    error_message = "The ports are between 1 and 65535 and must include 443, which AWS uses."
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

variable "cors_origins" {
  type        = set(string)
  default     = []
  description = "Other origins whose pages may call the API, as in EASEL_CORS_ORIGINS."

  validation {
    condition     = alltrue([for origin in var.cors_origins : can(regex("^https?://[a-z0-9.-]+(:[0-9]+)?$", origin)) && !can(regex("^http://.*:80$|^https://.*:443$", origin))])
    error_message = "An origin is written as browsers send it: https://host in lower case, xn-- for international names, no path, no port 80 or 443, and never *."
  }
}

variable "throttle" {
  type        = object({ rate = number, burst = number })
  default     = { rate = 100, burst = 200 }
  description = "The requests per second that each route accepts from all clients together, and the burst."

  validation {
    condition     = var.throttle.rate > 0 && var.throttle.burst > 0
    error_message = "A throttle of 0 would close the API."
  }
}

variable "mail" {
  type = object({
    from_address = string
    from_name    = optional(string, "Easel")
    verify_email = optional(bool, true)
  })
  default     = null
  description = "The sender of mail; its domain is set up in SES. Null for a site without mail. verify_email: EASEL_VERIFY_EMAIL."

  validation {
    condition     = var.mail == null || try(can(regex("^[A-Za-z0-9._+-]+@[a-z0-9.-]+\\.[a-z]{2,}$", var.mail.from_address)) && can(regex("^[A-Za-z0-9 ]+$", var.mail.from_name)), false)
    error_message = "The sender is an address such as pictures@example.com, and a name of plain letters."
  }
}

variable "limits" {
  type = object({
    max_running  = optional(number, 2)
    max_queued   = optional(number, 50)
    jobs_per_day = optional(number, 200)
    url_ttl_s    = optional(number, 3600)
  })
  default     = {}
  description = "EASEL_MAX_RUNNING, EASEL_MAX_QUEUED, EASEL_JOBS_PER_DAY and EASEL_URL_TTL_S."

  validation {
    condition     = alltrue([for limit in values(var.limits) : limit >= 1 && floor(limit) == limit]) && var.limits.url_ttl_s >= 60 && var.limits.url_ttl_s <= 604800
    error_message = "Limits are whole numbers from 1, and a presigned URL is valid for 60 s to 7 days."
  }
}

variable "more_limits" {
  type        = map(string)
  default     = {}
  description = "Other limits of docs/settings.md by their names, such as EASEL_LOGINS_PER_ACCOUNT."

  validation {
    condition     = alltrue([for name, limit in var.more_limits : can(regex("^EASEL_[A-Z_]+$", name)) && can(regex("^[1-9][0-9]*$", limit))])
    error_message = "Limits have names such as EASEL_LOGINS_PER_ACCOUNT, and are whole numbers from 1."
  }
}

variable "oidc" {
  type = object({
    issuer         = string
    client_id      = string
    secret_arn     = string
    name           = optional(string, "")
    local_accounts = optional(bool, true)
  })
  default     = null
  description = "An OpenID Connect provider where people sign in; the client's secret is in Secrets Manager. Needs nat_gateway. Without local_accounts nobody has a password."

  validation {
    condition     = var.oidc == null || (can(regex("^https://", var.oidc.issuer)) && can(regex("^arn:aws[a-z-]*:secretsmanager:", var.oidc.secret_arn)))
    error_message = "The issuer is https://..., and the secret is named by its ARN."
  }
}

variable "log_level" {
  type        = string
  default     = "INFO"
  description = "EASEL_LOG_LEVEL."

  validation {
    condition     = contains(["DEBUG", "INFO", "WARNING", "ERROR"], var.log_level)
    error_message = "The level is DEBUG, INFO, WARNING or ERROR."
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

variable "kms_key_arn" {
  type        = string
  default     = null
  description = "The ARN of your KMS key for the encryption, or null for AWS's key."

  validation {
    condition     = var.kms_key_arn == null || can(regex("^arn:aws[a-z-]*:kms:", var.kms_key_arn))
    error_message = "The key is named by its ARN: arn:aws:kms:..."
  }
}

variable "reserved_concurrency" {
  type        = map(number)
  default     = { signup = 5, login = 10, status = 200, health = 2 }
  description = "Reserved concurrency by function: its maximum, which is also kept free for it. Hashing passwords costs memory and processor, and a long poll lasts 20 s."

  validation {
    condition     = alltrue([for most in values(var.reserved_concurrency) : most >= 1])
    error_message = "Reserve at least 1; 0 would switch a function off."
  }
}

variable "tracing" {
  type        = bool
  default     = false
  description = "Whether X-Ray traces the calls."
}

variable "cidr" {
  type        = string
  default     = "10.20.0.0/16"
  description = "The network's address range; it is divided into 16 subnets."

  validation {
    condition     = can(cidrhost(var.cidr, 0)) && try(tonumber(split("/", var.cidr)[1]) <= 22, false)
    error_message = "The cidr is an IPv4 block of /22 or larger, such as 10.20.0.0/16."
  }
}

variable "zones" {
  type        = list(string)
  default     = ["a", "b"]
  description = "The letters of two of the region's zones. They are not looked up, so that a zone added by AWS moves nothing."

  validation {
    condition     = length(distinct(var.zones)) == 2 && length(var.zones) == 2 && alltrue([for zone in var.zones : can(regex("^[a-z]$", zone))])
    error_message = "Name two letters, such as [\"a\", \"b\"]."
  }
}

variable "nat_gateway" {
  type        = bool
  default     = false
  description = "Whether the poller leaves through a NAT gateway (one fixed address, about 33 USD a month) instead of a separate public address."
}

variable "database" {
  type = object({
    instance_class      = optional(string, "db.t4g.micro")
    storage_gb          = optional(number, 20)
    max_storage_gb      = optional(number, 100)
    multi_az            = optional(bool, false)
    backup_days         = optional(number, 14)
    deletion_protection = optional(bool, true)
  })
  default     = {}
  description = "The database server: size, disk in GB, a standby in a second zone, days of backups, protection from deletion."

  validation {
    condition     = startswith(var.database.instance_class, "db.") && var.database.backup_days >= 7
    error_message = "A size is named like db.t4g.micro, and backups are kept for at least 7 days."
  }
}

variable "poller_tasks" {
  type = object({
    least     = optional(number, 1)
    most      = optional(number, 3)
    jobs_each = optional(number, 500)
  })
  default     = {}
  description = "The minimum and maximum number of tasks, and the number of waiting jobs at which one more is started."

  validation {
    condition     = var.poller_tasks.least >= 1 && var.poller_tasks.most >= var.poller_tasks.least && var.poller_tasks.jobs_each >= 4
    error_message = "At least one task, a maximum that is no less than the minimum, and at least 4 jobs each."
  }
}

variable "alarm_email" {
  type        = string
  description = "The address that receives alarms; it must confirm the subscription once."

  validation {
    condition     = can(regex("^[^@\\s]+@[^@\\s]+$", var.alarm_email))
    error_message = "This is not an e-mail address."
  }
}

variable "alarm_thresholds" {
  type = object({
    failed_jobs     = optional(number, 5)
    oldest_queued_s = optional(number, 600)
    dead_letters    = optional(number, 0)
    errors_5xx      = optional(number, 5)
  })
  default     = {}
  description = "The threshold of each alarm: failed jobs in five minutes, seconds of the oldest wait during five minutes, dead letters of a queue, 5xx answers in five minutes."

  validation {
    condition     = alltrue([for threshold in values(var.alarm_thresholds) : threshold >= 0])
    error_message = "A threshold is 0 or more."
  }
}

variable "monthly_budget_usd" {
  type        = number
  default     = 150
  description = "The account's monthly budget in USD: a mail is sent at 80 % spent and when 100 % are forecast. Null for none."

  validation {
    condition     = var.monthly_budget_usd == null || try(var.monthly_budget_usd > 0, false)
    error_message = "A budget is more than 0 USD."
  }
}
