variable "name" {
  type        = string
  description = "The prefix of every name of this installation."

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{1,20}$", var.name))
    error_message = "The name has 2 to 21 lower-case letters, digits and hyphens, and begins with a letter."
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

variable "settings" {
  type        = map(string)
  description = "The EASEL_ settings of worker and operator's commands. No secrets."

  validation {
    condition     = alltrue([for name in keys(var.settings) : startswith(name, "EASEL_")])
    error_message = "Settings begin with EASEL_."
  }
}

variable "generators" {
  type        = list(string)
  description = "The generators without credentials, in the form of EASEL_GENERATORS. If there is a secret, its value is used instead."

  validation {
    condition     = length(var.generators) > 0 && alltrue([for address in var.generators : can(regex("^(img_generator|sdapi|openai|horde|glide)\\+https?://[^@,\\s]+$", address))])
    error_message = "Each generator is protocol+url, such as img_generator+https://gpu.example.com?max_in_flight=4, with no name or password in it."
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

variable "subnet_ids" {
  type        = list(string)
  description = "The subnets of the tasks."

  validation {
    condition     = length(var.subnet_ids) > 0
    error_message = "Name at least one subnet."
  }
}

variable "group_id" {
  type        = string
  description = "The tasks' security group."

  validation {
    condition     = startswith(var.group_id, "sg-")
    error_message = "A security group is named sg-..."
  }
}

variable "public_address" {
  type        = bool
  description = "Whether a task has a public address, for reaching the internet without a NAT gateway."
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
  description = "The database user for whom IAM issues tokens."

  validation {
    condition     = can(regex("^arn:aws[a-z-]*:rds-db:", var.database_user_arn))
    error_message = "A database user's ARN is arn:aws:rds-db:..."
  }
}

variable "mail" {
  type = object({
    sending_arns = list(string)
    from_address = string
    events_arn   = string
  })
  default     = null
  description = "The ARNs to send mail with, the sender, and the ARN of the queue of SES's reports; null for no mail."

  validation {
    condition     = var.mail == null || try(can(regex("^[^@<>\\s]+@[^@<>\\s]+$", var.mail.from_address)), false)
    error_message = "The sender is a bare address, such as pictures@example.com."
  }
}

variable "cpu" {
  type        = number
  default     = 512
  description = "CPU units of a task (1024 are one vCPU)."

  validation {
    condition     = contains([256, 512, 1024, 2048, 4096], var.cpu)
    error_message = "Fargate supports 256, 512, 1024, 2048 and 4096."
  }
}

variable "memory_mb" {
  type        = number
  default     = 1024
  description = "Memory of a task; every worker process decodes one picture at a time."

  validation {
    condition     = var.memory_mb >= 1024 && var.memory_mb <= 30720
    error_message = "The memory is between 1024 and 30720 MB."
  }
}

variable "concurrency" {
  type        = number
  default     = 2
  description = "Worker processes of a task."

  validation {
    condition     = var.concurrency >= 1 && var.concurrency <= 16
    error_message = "A task has 1 to 16 worker processes."
  }
}

variable "tasks" {
  type = object({
    least     = optional(number, 1)
    most      = optional(number, 3)
    jobs_each = optional(number, 500)
  })
  default     = {}
  description = "The minimum and maximum number of tasks, and the number of waiting jobs at which one more is started."

  validation {
    condition     = var.tasks.least >= 1 && var.tasks.most >= var.tasks.least && var.tasks.jobs_each >= 4
    error_message = "At least one task, a maximum that is no less than the minimum, and at least 4 jobs each."
  }
}

variable "queued" {
  type        = object({ namespace = string, name = string })
  description = "The metric of waiting jobs."

  validation {
    condition     = length(var.queued.namespace) > 0 && length(var.queued.name) > 0
    error_message = "A metric has a namespace and a name."
  }
}

variable "stop_timeout_s" {
  type        = number
  default     = 60
  description = "Seconds that a worker has to stop before it is killed."

  validation {
    condition     = var.stop_timeout_s >= 30 && var.stop_timeout_s <= 120
    error_message = "Fargate waits 120 s at most, and a worker needs up to 20 s (LongSteps.STOP_S)."
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
