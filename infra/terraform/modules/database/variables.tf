variable "name" {
  type        = string
  description = "The prefix of every name of this installation."

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{1,20}$", var.name))
    error_message = "The name has 2 to 21 lower-case letters, digits and hyphens, and begins with a letter."
  }
}

variable "vpc_id" {
  type        = string
  description = "The network."

  validation {
    condition     = startswith(var.vpc_id, "vpc-")
    error_message = "A network is named vpc-..."
  }
}

variable "subnet_ids" {
  type        = list(string)
  description = "Private subnets in at least two zones."

  validation {
    condition     = length(var.subnet_ids) >= 2
    error_message = "RDS needs subnets in two zones."
  }
}

variable "client_group_ids" {
  type        = map(string)
  description = "The security groups that may connect to the proxy, by name (functions, poller)."

  validation {
    condition     = length(var.client_group_ids) > 0
    error_message = "At least one security group must be able to connect."
  }
}

variable "engine_version" {
  type        = string
  default     = "18"
  description = "The major version of Postgres; RDS chooses and keeps the minor one current."

  validation {
    condition     = can(tonumber(var.engine_version)) && try(tonumber(var.engine_version) >= 18, false)
    error_message = "Easel needs Postgres 18 or later, given as the major version only."
  }
}

variable "instance_class" {
  type        = string
  default     = "db.t4g.micro"
  description = "The size of the database server."

  validation {
    condition     = startswith(var.instance_class, "db.")
    error_message = "A size is named like db.t4g.micro."
  }
}

variable "storage_gb" {
  type        = number
  default     = 20
  description = "The disk at the start, in GB."

  validation {
    condition     = var.storage_gb >= 20
    error_message = "gp3 begins at 20 GB."
  }
}

variable "max_storage_gb" {
  type        = number
  default     = 100
  description = "The size up to which the disk may grow automatically, in GB."

  validation {
    condition     = var.max_storage_gb > var.storage_gb
    error_message = "The maximum must exceed the initial size."
  }
}

variable "multi_az" {
  type        = bool
  default     = false
  description = "Whether a standby waits in a second zone; doubles the price of the server."
}

variable "backup_days" {
  type        = number
  default     = 14
  description = "The number of days for which the database can be restored to any second."

  validation {
    condition     = var.backup_days >= 7 && var.backup_days <= 35
    error_message = "Backups are kept for 7 to 35 days."
  }
}

variable "deletion_protection" {
  type        = bool
  default     = true
  description = "Whether the database refuses to be deleted, and leaves a last snapshot when it is."
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

