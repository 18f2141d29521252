variable "name" {
  type        = string
  default     = "easel"
  description = "The prefix of every name of this installation."

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{1,20}$", var.name))
    error_message = "The name has 2 to 21 lower-case letters, digits and hyphens, and begins with a letter."
  }
}

variable "endpoint" {
  type        = string
  description = "The emulator's address, for all services of AWS."

  validation {
    condition     = can(regex("^http://(127\\.0\\.0\\.1|localhost):[0-9]+$", var.endpoint))
    error_message = "The emulator runs on this machine: http://127.0.0.1:<port>."
  }
}

variable "bundle" {
  type        = string
  description = "A bundle of the functions for this machine's processor and Python."

  validation {
    condition     = fileexists(var.bundle)
    error_message = "There is no bundle at this path."
  }
}

variable "database_url" {
  type        = string
  description = "A Postgres on this machine that needs no password, with the tables created."

  validation {
    condition     = startswith(var.database_url, "postgresql") && !can(regex("://[^/@]*:[^/@]*@", var.database_url))
    error_message = "The address begins with postgresql and contains no password, since it is stored in the state."
  }
}

variable "public_url" {
  type        = string
  default     = "http://127.0.0.1:8080"
  description = "EASEL_PUBLIC_URL."

  validation {
    condition     = can(regex("^https?://[^/]+$", var.public_url))
    error_message = "The address is http(s)://host without a path."
  }
}
