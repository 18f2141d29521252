variable "name" {
  type        = string
  description = "The prefix of every name of this installation."

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{1,20}$", var.name))
    error_message = "The name has 2 to 21 lower-case letters, digits and hyphens, and begins with a letter."
  }
}

variable "poller_log_group" {
  type        = string
  default     = null
  description = "The poller's log group, whose line of every minute becomes metrics; null if no poller runs."

  validation {
    condition     = var.poller_log_group == null || try(length(var.poller_log_group) > 0, false)
    error_message = "A log group has a name."
  }
}

variable "dead_letters" {
  type        = string
  description = "The name of the queue of dead letters."

  validation {
    condition     = length(var.dead_letters) > 0
    error_message = "A queue has a name."
  }
}

variable "mail_dead_letters" {
  type        = string
  default     = null
  description = "The name of the queue of the reports of SES that could not be read; null if the site sends no mail."

  validation {
    condition     = var.mail_dead_letters == null || try(length(var.mail_dead_letters) > 0, false)
    error_message = "A queue has a name."
  }
}

variable "api_id" {
  type        = string
  description = "The HTTP API."

  validation {
    condition     = length(var.api_id) > 0
    error_message = "An API has an id."
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

variable "thresholds" {
  type = object({
    failed_jobs     = optional(number, 5)
    oldest_queued_s = optional(number, 600)
    dead_letters    = optional(number, 0)
    errors_5xx      = optional(number, 5)
  })
  default     = {}
  description = "The threshold of each alarm: failed jobs in five minutes, seconds of the oldest wait during five minutes, dead letters of a queue, 5xx answers in five minutes."

  validation {
    condition     = alltrue([for threshold in values(var.thresholds) : threshold >= 0])
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
