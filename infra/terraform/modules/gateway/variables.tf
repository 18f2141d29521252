variable "name" {
  type        = string
  description = "The prefix of every name of this installation."

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{1,20}$", var.name))
    error_message = "The name has 2 to 21 lower-case letters, digits and hyphens, and begins with a letter."
  }
}

variable "functions" {
  type = map(object({
    function_name = string
    arn           = string
    invoke_arn    = string
    timeout_s     = number
  }))
  description = "The functions by their names in the manifest, as output by the module `functions`."

  validation {
    condition     = length(var.functions) > 0
    error_message = "An API needs at least one function."
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

variable "function_throttles" {
  type = map(object({ rate = number, burst = number }))
  default = {
    signup = { rate = 2, burst = 10 }
    login  = { rate = 5, burst = 20 }
    submit = { rate = 20, burst = 40 }
    upload = { rate = 20, burst = 40 }
    report = { rate = 2, burst = 10 }
  }
  description = "Tighter throttles for the routes of single functions: those that hash passwords, cost money or accept text from strangers."

  validation {
    condition     = alltrue([for throttle in values(var.function_throttles) : throttle.rate > 0 && throttle.burst > 0])
    error_message = "A throttle of 0 would close a route."
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

