# SPDX-License-Identifier: Apache-2.0
# One role for each function: what it calls, on what it calls it, and nothing else.

locals {
  # What has no actions for a function is left out.
  statements = {
    for key in local.function_names : key => [
      for statement in concat(
        [
          for table, actions in local.table_actions[key] : {
            actions   = [for action in actions : "dynamodb:${action}"]
            resources = [aws_dynamodb_table.table[table].arn]
          }
        ],
        [
          {
            actions   = contains(keys(local.invoked_function), key) ? ["lambda:InvokeFunction"] : []
            resources = [for invoker, invoked in local.invoked_function : aws_lambda_function.function[invoked].arn if invoker == key]
          },
          {
            actions   = [for action in lookup(local.object_actions, key, []) : "s3:${action}"]
            resources = ["${aws_s3_bucket.files.arn}/*"]
          },
          {
            actions   = [for action in lookup(local.bucket_actions, key, []) : "s3:${action}"]
            resources = [aws_s3_bucket.files.arn]
          },
          {
            actions   = local.has_platform_application ? [for action in lookup(local.push_actions, key, []) : "sns:${action}"] : []
            resources = local.platform_resources
          },
          {
            actions   = ["logs:CreateLogStream", "logs:PutLogEvents"]
            resources = ["${aws_cloudwatch_log_group.function[key].arn}:*"]
          },
          {
            # X-Ray knows no resources here.
            actions   = contains(local.active_functions, key) ? ["xray:PutTraceSegments", "xray:PutTelemetryRecords"] : []
            resources = ["*"]
          },
        ],
      ) : statement if length(statement.actions) > 0
    ]
  }

  # Who may take a role: one service, and only for this one purpose.
  trust = {
    for service in ["lambda", "apigateway", "scheduler", "sns"] : service => jsonencode({
      Version = "2012-10-17"
      Statement = [{
        Effect    = "Allow"
        Action    = "sts:AssumeRole"
        Principal = { Service = "${service}.amazonaws.com" }
      }]
    })
  }
}

resource "aws_iam_role" "function" {
  for_each = local.functions

  name               = "${local.name}-${each.key}"
  assume_role_policy = local.trust["lambda"]
}

resource "aws_iam_role_policy" "function" {
  for_each = local.functions

  name = "calls"
  role = aws_iam_role.function[each.key].id

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      for statement in local.statements[each.key] : {
        Effect   = "Allow"
        Action   = statement.actions
        Resource = statement.resources
      }
    ]
  })
}
