variable "name" {
  type        = string
  description = "The prefix of every name of this installation."

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{1,20}$", var.name))
    error_message = "The name has 2 to 21 lower-case letters, digits and hyphens, and begins with a letter."
  }
}

variable "cidr" {
  type        = string
  default     = "10.20.0.0/16"
  description = "The network's address range; it is divided into 16 subnets."

  validation {
    condition     = can(cidrhost(var.cidr, 0)) && try(tonumber(split("/", var.cidr)[1]) <= 22, false)
    error_message = "The cidr is an IPv4 block of /22 or larger, such as 10.20.0.0/16."
  }
}

variable "nat_gateway" {
  type        = bool
  default     = false
  description = "Whether the poller leaves through a NAT gateway (one fixed address, about 33 USD a month) instead of a separate public address."
}

variable "sign_in" {
  type        = bool
  default     = false
  description = "Whether there is a group with which one function reaches an OpenID Connect provider; needs nat_gateway."

  validation {
    condition     = !var.sign_in || var.nat_gateway
    error_message = "Functions have no way out of the private subnets without nat_gateway = true."
  }
}

variable "generator_ports" {
  type        = set(number)
  default     = [443]
  description = "The ports of generators and AWS to which the poller may connect; must include 443."

  validation {
    condition     = contains(var.generator_ports, 443) && alltrue([for port in var.generator_ports : port >= 1 && port <= 65535])
    error_message = "The ports are between 1 and 65535 and must include 443, which AWS uses."
  }
}

variable "zones" {
  type        = list(string)
  default     = ["a", "b"]
  description = "The letters of two of the region's zones. They are not looked up, so that a zone added by AWS moves nothing."

  validation {
    condition     = length(distinct(var.zones)) == 2 && length(var.zones) == 2 && alltrue([for zone in var.zones : can(regex("^[a-z]$", zone))])
    error_message = "Name two letters, such as [\"a\", \"b\"]."
  }
}
