variable "name" {
  type        = string
  description = "The prefix of every name of this installation."

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{1,20}$", var.name))
    error_message = "The name has 2 to 21 lower-case letters, digits and hyphens, and begins with a letter."
  }
}

variable "bucket" {
  type        = string
  default     = null
  description = "The bucket's name, or null for the installation's name and the account's number."

  validation {
    condition     = var.bucket == null || can(regex("^[a-z0-9][a-z0-9-]{1,61}[a-z0-9]$", var.bucket))
    error_message = "A bucket has 3 to 63 lower-case letters, digits and hyphens; a dot would break TLS."
  }
}

variable "origins" {
  type        = set(string)
  description = "The pages that may use the bucket from a browser: the site's own address, and those of EASEL_CORS_ORIGINS."

  validation {
    condition     = length(var.origins) > 0 && !contains(var.origins, "*")
    error_message = "Name at least one origin, and never *."
  }
}

variable "force_destroy" {
  type        = bool
  default     = false
  description = "Whether 'terraform destroy' deletes the pictures too."
}

variable "tls_only" {
  type        = bool
  default     = true
  description = "Whether requests without TLS are refused; false for an emulator, which has none."
}
