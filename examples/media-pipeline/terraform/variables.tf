# SPDX-License-Identifier: Apache-2.0
# What one may choose. Everything has a default but what only you can know.

variable "region" {
  description = "Where everything is, but the billing alarm."
  type        = string
  default     = "us-west-2"

  validation {
    condition     = can(regex("^[a-z]{2}(-[a-z]+)+-[0-9]$", var.region))
    error_message = "region should look like us-west-2."
  }
}

variable "architecture" {
  description = "Of the functions, the zip and the layer: x86_64 or arm64."
  type        = string
  default     = "x86_64"

  validation {
    condition     = contains(["x86_64", "arm64"], var.architecture)
    error_message = "architecture should be x86_64 or arm64."
  }
}

variable "package_directory" {
  description = "Where media-pipeline-<architecture>.zip and media-layer-<architecture>.zip are; empty: build/package of this repository."
  type        = string
  default     = ""
}

# ---- Tracing -----------------------------------------------------------------------

variable "tracing" {
  description = "full: all functions; selective: those in traced_functions; passive: the API's stage alone; on_demand: all or none, as enable_xray_tracing says."
  type        = string
  default     = "full"

  validation {
    condition     = contains(["full", "selective", "passive", "on_demand"], var.tracing)
    error_message = "tracing should be full, selective, passive or on_demand."
  }
}

variable "enable_xray_tracing" {
  description = "Whether the functions record (their ENABLE_XRAY). false is the rollback; with tracing = on_demand it also sets Lambda and the stage to not trace."
  type        = bool
  default     = true
}

variable "traced_functions" {
  description = "The functions that tracing = selective traces."
  type        = set(string)
  default     = ["WebhookFeedly", "FileCoordinator", "StartFileUpload"]

  validation {
    condition = length(setsubtract(var.traced_functions, [
      "AuthorizerAPIToken", "WebhookFeedly", "FileCoordinator", "StartFileUpload", "RegisterDevice", "ListFiles",
    ])) == 0
    error_message = "traced_functions may name AuthorizerAPIToken, WebhookFeedly, FileCoordinator, StartFileUpload, RegisterDevice and ListFiles."
  }
}

variable "sampling" {
  description = "Of requests to the API's stage: the first ones of each second, and the part of the others. Lambda's own rate cannot be set."
  type = object({
    per_second = number
    rate       = number
  })
  default = { per_second = 1, rate = 0.05 }

  validation {
    condition     = var.sampling.per_second >= 0 && floor(var.sampling.per_second) == var.sampling.per_second
    error_message = "sampling.per_second should be a whole number, 0 or more."
  }
  validation {
    condition     = var.sampling.rate >= 0 && var.sampling.rate <= 1
    error_message = "sampling.rate should be from 0 to 1."
  }
}

variable "debug_sampling" {
  description = "The same for the rule MediaDownloaderDebug, which comes first while tracing = on_demand."
  type = object({
    per_second = number
    rate       = number
  })
  default = { per_second = 1, rate = 0.05 }

  validation {
    condition     = var.debug_sampling.per_second >= 0 && floor(var.debug_sampling.per_second) == var.debug_sampling.per_second
    error_message = "debug_sampling.per_second should be a whole number, 0 or more."
  }
  validation {
    condition     = var.debug_sampling.rate >= 0 && var.debug_sampling.rate <= 1
    error_message = "debug_sampling.rate should be from 0 to 1."
  }
}

# ---- Downloads ---------------------------------------------------------------------

variable "media_hosts" {
  description = "Hosts besides YouTube's from which files are taken: host or host:port. They may be in a private network, what they lead to may not."
  type        = set(string)
  default     = []

  validation {
    condition     = alltrue([for host in var.media_hosts : can(regex("^[A-Za-z0-9._-]+(:[0-9]{1,5})?$", host))])
    error_message = "media_hosts should be host or host:port, without a scheme or a path."
  }
}

variable "max_downloads" {
  description = "How many downloads may be under way when the schedule starts more."
  type        = number
  default     = 10

  validation {
    condition     = var.max_downloads >= 1 && var.max_downloads <= 1000 && floor(var.max_downloads) == var.max_downloads
    error_message = "max_downloads should be a whole number from 1 to 1000."
  }
}

variable "reserved_downloads" {
  description = "StartFileUpload's reserved concurrency, the limit of all downloads at once; null: none. An account must keep 100 for the others."
  type        = number
  default     = null

  validation {
    condition     = var.reserved_downloads == null ? true : var.reserved_downloads >= 1 && floor(var.reserved_downloads) == var.reserved_downloads
    error_message = "reserved_downloads should be a whole number from 1 on, or null."
  }
}

variable "ephemeral_storage_mib" {
  description = "StartFileUpload's /tmp: two to three times the largest video. Over 512 costs extra."
  type        = number
  default     = 4096

  validation {
    condition     = var.ephemeral_storage_mib >= 512 && var.ephemeral_storage_mib <= 10240
    error_message = "ephemeral_storage_mib should be from 512 to 10240, which is Lambda's limit."
  }
}

variable "file_expiry_days" {
  description = "Days after which a file is deleted from the bucket; null: never."
  type        = number
  default     = null

  validation {
    condition     = var.file_expiry_days == null ? true : var.file_expiry_days >= 1
    error_message = "file_expiry_days should be 1 or more, or null."
  }
}

variable "schedule" {
  description = "How often FileCoordinator looks for what is due."
  type        = string
  default     = "rate(4 minutes)"

  validation {
    condition     = can(regex("^(rate|cron)\\(.+\\)$", var.schedule))
    error_message = "schedule should be rate(…) or cron(…)."
  }
}

variable "deletion_protection" {
  description = "Tables cannot be deleted, nor a bucket that is not empty; null: so in production."
  type        = bool
  default     = null
}

# ---- Notifications -----------------------------------------------------------------

variable "apns" {
  description = "Apple's certificate and private key, PEM, for the push; null: no platform application, and devices cannot register."
  type = object({
    certificate = string
    private_key = string
    sandbox     = optional(bool, true)
  })
  default   = null
  sensitive = true
}

variable "alarm_email" {
  description = "Who hears of alarms; empty: nobody, the alarms are to be seen in CloudWatch."
  type        = string
  default     = ""

  validation {
    condition     = var.alarm_email == "" || can(regex("^[^@ ]+@[^@ ]+$", var.alarm_email))
    error_message = "alarm_email should be an address."
  }
}

variable "billing_threshold_usd" {
  description = "The charges of a month, of the whole account, that raise an alarm; 0: no such alarm."
  type        = number
  default     = 5

  validation {
    condition     = var.billing_threshold_usd >= 0
    error_message = "billing_threshold_usd should be 0 or more."
  }
}

variable "github" {
  description = "Repository (owner/name), and a token that may write its issues, for an issue about a failure that a person can mend; null: none is opened."
  type = object({
    repository = string
    token      = string
  })
  default   = null
  sensitive = true

  validation {
    condition     = var.github == null ? true : can(regex("^[A-Za-z0-9._-]+/[A-Za-z0-9._-]+$", var.github.repository))
    error_message = "github.repository should be owner/name."
  }
}

# ---- Operations --------------------------------------------------------------------

variable "log_retention_days" {
  description = "How long logs are kept. X-Ray keeps traces for 30 days, which cannot be changed."
  type        = number
  default     = 14

  validation {
    condition     = contains([1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653], var.log_retention_days)
    error_message = "log_retention_days should be one of the numbers that CloudWatch knows: 1, 3, 5, 7, 14, 30, 60, 90…"
  }
}

variable "api_rate" {
  description = "Requests to the API in a second, and at once; more are answered 429."
  type = object({
    per_second = number
    burst      = number
  })
  default = { per_second = 10, burst = 20 }

  validation {
    condition     = var.api_rate.per_second > 0 && var.api_rate.burst >= 1
    error_message = "api_rate should be more than 0."
  }
}

variable "webhook_requires_api_key" {
  description = "Whether POST /webhook needs X-API-Key too. Feedly and IFTTT cannot send headers; their token in ?ApiKey= is needed always."
  type        = bool
  default     = false
}

variable "manage_api_gateway_account" {
  description = "Sets the role by which API Gateway writes logs, one for an account and region: false in the second workspace of an account."
  type        = bool
  default     = true
}

variable "synthetic_url" {
  description = "A small public file (http or https) that is downloaded as a check; empty: no check."
  type        = string
  default     = ""

  validation {
    condition     = var.synthetic_url == "" || can(regex("^https?://[A-Za-z0-9._-]+(:[0-9]{1,5})?/[A-Za-z0-9._~/%-]*$", var.synthetic_url))
    error_message = "synthetic_url should be http(s)://host/path without a query, which makes each download a new one."
  }
}

variable "synthetic_hours" {
  description = "Hours between two of these downloads."
  type        = number
  default     = 1

  validation {
    condition     = var.synthetic_hours >= 1 && var.synthetic_hours <= 24 && floor(var.synthetic_hours) == var.synthetic_hours
    error_message = "synthetic_hours should be a whole number from 1 to 24."
  }
}
