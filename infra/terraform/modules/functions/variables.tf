variable "name" {
  type        = string
  description = "The prefix of every name of this installation."

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{1,20}$", var.name))
    error_message = "The name has 2 to 21 lower-case letters, digits and hyphens, and begins with a letter."
  }
}

variable "bundle" {
  type        = string
  description = "The functions' ZIP file, as 'make bundle' writes it."

  validation {
    condition     = fileexists(var.bundle)
    error_message = "There is no bundle at this path: run 'make bundle' first."
  }
}

variable "settings" {
  type        = map(string)
  description = "The EASEL_ settings of every function. No secrets: every user who may view a function can read them."

  validation {
    condition     = alltrue([for name in keys(var.settings) : startswith(name, "EASEL_")])
    error_message = "Settings begin with EASEL_; Lambda's own variables must not be overwritten."
  }
}

variable "generators" {
  type        = list(string)
  description = "The generators without credentials, in the form of EASEL_GENERATORS: submit refuses what none of them can make."

  validation {
    condition     = length(var.generators) > 0 && alltrue([for address in var.generators : can(regex("^(img_generator|sdapi|openai|horde|glide)\\+https?://[^@,\\s]+$", address))])
    error_message = "Each generator is protocol+url, such as img_generator+https://gpu.example.com?max_in_flight=4, with no name or password in it."
  }
}

variable "sign_in" {
  type        = object({ secret_arn = string, group_id = string })
  default     = null
  description = "Of an OpenID Connect provider: the client's secret in Secrets Manager, and the group with which the function oidc reaches the internet."

  validation {
    condition     = var.sign_in == null || can(regex("^arn:aws[a-z-]*:secretsmanager:", var.sign_in.secret_arn))
    error_message = "A secret's ARN is arn:aws:secretsmanager:..."
  }
}

variable "bucket_arn" {
  type        = string
  description = "The bucket of the pictures."

  validation {
    condition     = can(regex("^arn:aws[a-z-]*:s3:::", var.bucket_arn))
    error_message = "A bucket's ARN is arn:aws:s3:::..."
  }
}

variable "queue_arn" {
  type        = string
  description = "The queue of wake-ups."

  validation {
    condition     = can(regex("^arn:aws[a-z-]*:sqs:", var.queue_arn))
    error_message = "A queue's ARN is arn:aws:sqs:..."
  }
}

variable "database_user_arn" {
  type        = string
  default     = null
  description = "The database user for whom IAM issues tokens; null where EASEL_DATABASE_AUTH is not iam."

  validation {
    condition     = var.database_user_arn == null || can(regex("^arn:aws[a-z-]*:rds-db:", var.database_user_arn))
    error_message = "A database user's ARN is arn:aws:rds-db:..."
  }
}

variable "network" {
  type = object({
    subnet_ids = list(string)
    group_id   = string
  })
  default     = null
  description = "The private subnets and the security group of the functions; null for none (an emulator)."

  validation {
    condition     = var.network == null || try(length(var.network.subnet_ids) > 0, false)
    error_message = "A network has at least one subnet."
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

