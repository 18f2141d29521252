variable "name" {
  type        = string
  description = "The prefix of every name of this installation."

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{1,20}$", var.name))
    error_message = "The name has 2 to 21 lower-case letters, digits and hyphens, and begins with a letter."
  }
}

variable "domain" {
  type        = string
  description = "The domain of the sender's address."

  validation {
    condition     = can(regex("^[a-z0-9.-]+\\.[a-z]{2,}$", var.domain))
    error_message = "A domain is like example.com."
  }
}

variable "max_receives" {
  type        = number
  default     = 5
  description = "The number of times that a report of SES is received before it becomes a dead letter."

  validation {
    condition     = var.max_receives >= 1 && var.max_receives < 10
    error_message = "A report is received 1 to 9 times; after 10 the poller gives it up (shared/notify/bounces.py)."
  }
}

variable "tls_only" {
  type        = bool
  default     = true
  description = "Whether requests without TLS are refused; false for an emulator, which has none."
}
