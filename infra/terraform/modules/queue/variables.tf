variable "name" {
  type        = string
  description = "The prefix of every name of this installation."

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{1,20}$", var.name))
    error_message = "The name has 2 to 21 lower-case letters, digits and hyphens, and begins with a letter."
  }
}

# A worker receives several messages at once and deletes each when it starts with it. Until then a message waits for the
# tasks before it, each of which may take `task_time_limit_s`. If it became visible sooner, it would wake a second
# worker: harmless, but useless. A long time-out costs nothing: the sweep finds the jobs of a dead worker as soon as the
# lease of `lease_s` has expired.
variable "visibility_timeout_s" {
  type        = number
  default     = 420
  description = "The visibility time-out: seconds for which a received message is hidden from other workers."

  validation {
    condition     = var.visibility_timeout_s >= var.task_time_limit_s && var.visibility_timeout_s > var.lease_s && var.visibility_timeout_s <= 43200
    error_message = "The visibility time-out is at least the longest task (60 s), more than a lease, and at most 12 hours."
  }
}

variable "task_time_limit_s" {
  type        = number
  default     = 60
  description = "The task_time_limit of shared/clients/broker.py."

  validation {
    condition     = var.task_time_limit_s > 0
    error_message = "A time limit is a positive number of seconds."
  }
}

variable "lease_s" {
  type        = number
  default     = 20
  description = "LEASE_S of shared/jobs/states.py: how long a worker's claim on a job holds without being renewed."

  validation {
    condition     = var.lease_s > 0
    error_message = "A lease is a positive number of seconds."
  }
}

variable "max_receives" {
  type        = number
  default     = 5
  description = "The number of times that a message is received before it becomes a dead letter."

  validation {
    condition     = var.max_receives >= 1 && var.max_receives <= 1000
    error_message = "A message is received 1 to 1000 times."
  }
}

variable "tls_only" {
  type        = bool
  default     = true
  description = "Whether requests without TLS are refused; false for an emulator, which has none."
}
