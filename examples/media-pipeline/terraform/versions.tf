# SPDX-License-Identifier: Apache-2.0
# Which Terraform, which provider, and whose account.

terraform {
  required_version = ">= 1.5"

  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = "~> 6.0"
    }
  }
}

provider "aws" {
  region = var.region

  default_tags {
    tags = local.tags
  }
}

# AWS publishes its charges in this region alone, and alarms on them have to be here too.
provider "aws" {
  alias  = "charges"
  region = "us-east-1"

  default_tags {
    tags = local.tags
  }
}

locals {
  # Two workspaces can share an account: every name says which one it belongs to.
  environment = terraform.workspace
  name        = "media-${local.environment}"

  tags = {
    Project     = "media-pipeline"
    Environment = local.environment
  }
}

# The default workspace would be a third installation that nobody asked for.
resource "terraform_data" "workspace" {
  input = local.environment

  lifecycle {
    precondition {
      condition     = contains(["staging", "production"], local.environment)
      error_message = "The workspace is \"${local.environment}\": choose one with `terraform workspace select -or-create staging` or production."
    }
  }
}
