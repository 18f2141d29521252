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
