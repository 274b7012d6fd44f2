# SPDX-License-Identifier: Apache-2.0
# The five tables; each is asked by its key alone.

locals {
  tables = {
    Files       = "fileId"
    UserFiles   = "userId"
    Devices     = "deviceId"
    UserDevices = "userId"
    ApiTokens   = "tokenHash"
  }

  is_protected = var.deletion_protection != null ? var.deletion_protection : local.environment == "production"
}

resource "aws_dynamodb_table" "table" {
  for_each = local.tables

  name                        = "${local.name}-${each.key}"
  billing_mode                = "PAY_PER_REQUEST"
  hash_key                    = each.value
  deletion_protection_enabled = local.is_protected

  attribute {
    name = each.value
    type = "S"
  }

  server_side_encryption {
    enabled = true
  }

  point_in_time_recovery {
    enabled = true
  }
}
