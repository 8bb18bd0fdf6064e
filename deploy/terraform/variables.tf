# What the operator decides. Brownfield: each existing_* takes the place of what would be made otherwise.

variable "region" {
  description = "The one region of the installation, for instance us-east-1"
  type        = string
}

variable "name" {
  description = "Name of the cluster, and prefix of everything else"
  type        = string
  default     = "accelbench"
  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{1,29}$", var.name))
    error_message = "name is 2 to 30 lower-case letters, digits and hyphens, and begins with a letter"
  }
}

variable "tags" {
  description = "Tags of everything, beside project = NAME"
  type        = map(string)
  default     = {}
}

variable "budget" {
  description = "The monthly amount and who is told when it is near; null only if you watch your spending otherwise"
  type = object({
    monthly_usd = number
    emails      = list(string)
  })
  validation {
    condition     = var.budget == null || try(var.budget.monthly_usd > 0 && length(var.budget.emails) > 0, false)
    error_message = "a budget has an amount above 0 and somebody who is told"
  }
}

variable "zones" {
  description = "Availability zones by name; empty: the region's first three. Not every zone has every accelerator"
  type        = list(string)
  default     = []
  validation {
    condition     = length(var.zones) == 0 || length(var.zones) >= 2
    error_message = "a cluster and an Aurora database need two zones at least"
  }
}

variable "vpc_cidr" {
  description = "Addresses of the network that is made: a /16"
  type        = string
  default     = "10.42.0.0/16"
  validation {
    condition     = can(cidrnetmask(var.vpc_cidr)) && endswith(var.vpc_cidr, "/16")
    error_message = "vpc_cidr is an IPv4 range with /16"
  }
}

variable "nat_gateway_per_zone" {
  description = "Whether a zone's loss leaves the others their way out; each gateway costs by the hour"
  type        = bool
  default     = false
}

variable "existing_network" {
  description = "A network that is there: its private subnets need a way out, and the tag karpenter.sh/discovery = NAME"
  type = object({
    vpc_id             = string
    private_subnet_ids = list(string)
  })
  default = null
  validation {
    condition     = var.existing_network == null || try(length(var.existing_network.private_subnet_ids) >= 2, false)
    error_message = "existing_network needs private subnets in two zones at least"
  }
}

variable "existing_cluster" {
  description = "An EKS cluster that is there; node_role_name is the role of its Karpenter nodes, null: Karpenter's identity is made"
  type = object({
    name           = string
    node_role_name = optional(string)
  })
  default = null
}

variable "existing_database" {
  description = "A PostgreSQL 16 or newer that is there; its security group must let the cluster in"
  type = object({
    cidrs = list(string)
  })
  default = null
}

variable "kubernetes_version" {
  description = "Kubernetes of the cluster that is made"
  type        = string
  default     = "1.35"
  validation {
    condition     = contains(["1.33", "1.34", "1.35", "1.36"], var.kubernetes_version)
    error_message = "kubernetes_version is one of 1.33, 1.34, 1.35, 1.36: those that AccelBench's manifests are validated with"
  }
}

variable "api_access_cidrs" {
  description = "From where the cluster's API is reached over the internet; empty: from the network alone"
  type        = list(string)
  default     = []
  validation {
    condition     = !anytrue([for cidr in var.api_access_cidrs : endswith(cidr, "/0")])
    error_message = "the cluster's API is not opened to the whole world"
  }
}

variable "administrators" {
  description = "ARNs of IAM roles that administer the cluster, beside whoever runs Terraform"
  type        = list(string)
  default     = []
}

variable "system_nodes" {
  description = "The nodes that are always on, for Karpenter, name service, servers and workers"
  type = object({
    instance_type = optional(string, "m7i.large")
    count         = optional(number, 2)
  })
  default = {}
}

variable "database" {
  description = "Aurora PostgreSQL: version, capacity units (ACU), days of backups"
  type = object({
    engine_version        = optional(string, "17.5")
    min_capacity_acu      = optional(number, 0.5)
    max_capacity_acu      = optional(number, 8)
    backup_retention_days = optional(number, 14)
    deletion_protection   = optional(bool, true)
  })
  default = {}
  validation {
    condition     = var.database.backup_retention_days >= 7 && var.database.backup_retention_days <= 35
    error_message = "backups are kept for 7 to 35 days; within them any second can be restored"
  }
  validation {
    condition     = var.database.min_capacity_acu >= 0.5
    error_message = "with less than 0.5 ACU the database pauses, and the first question after that takes longer than 2 s"
  }
}

variable "create_bucket" {
  description = "Whether a bucket for weights, datasets and artifacts is made. AccelBench itself does not use one yet"
  type        = bool
  default     = false
}
