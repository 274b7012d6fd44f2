# SPDX-License-Identifier: Apache-2.0
# A small public file goes the whole way each hour: WebhookFeedly is given the event that API
# Gateway would give it, for a user of its own, and an address that differs by its query, without
# which the file would be there already. alarms.tf says when no download has succeeded.

locals {
  has_synthetic   = var.synthetic_url != ""
  synthetic_hosts = local.has_synthetic ? [regex("^https?://([^/]+)/", var.synthetic_url)[0]] : []

  # jsonencode writes < and > as \u003c and \u003e, by which the scheduler would not know them.
  synthetic_event = replace(replace(jsonencode({
    resource          = "/webhook"
    path              = "/webhook"
    httpMethod        = "POST"
    headers           = {}
    multiValueHeaders = {}
    isBase64Encoded   = false
    requestContext = {
      resourcePath = "/webhook"
      path         = "/${local.stage}/webhook"
      httpMethod   = "POST"
      stage        = local.stage
      authorizer   = { principalId = "synthetic" }
    }
    body = "{\"articleURL\":\"${var.synthetic_url}?run=<aws.scheduler.execution-id>\"}"
  }), "\\u003c", "<"), "\\u003e", ">")
}

resource "aws_scheduler_schedule" "synthetic" {
  count = local.has_synthetic ? 1 : 0

  name                = "${local.name}-synthetic"
  description         = "Downloads a small file, to see that it can be done"
  schedule_expression = var.synthetic_hours == 1 ? "rate(1 hour)" : "rate(${var.synthetic_hours} hours)"

  flexible_time_window {
    mode = "OFF"
  }

  target {
    arn      = aws_lambda_function.function["WebhookFeedly"].arn
    role_arn = aws_iam_role.synthetic[0].arn
    input    = local.synthetic_event

    # The next one comes soon, and a check that repeats itself hides what it should show.
    retry_policy {
      maximum_retry_attempts       = 0
      maximum_event_age_in_seconds = 300
    }
  }
}

resource "aws_iam_role" "synthetic" {
  count = local.has_synthetic ? 1 : 0

  name               = "${local.name}-synthetic"
  assume_role_policy = local.trust["scheduler"]
}

resource "aws_iam_role_policy" "synthetic" {
  count = local.has_synthetic ? 1 : 0

  name = "invoke"
  role = aws_iam_role.synthetic[0].id

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect   = "Allow"
      Action   = "lambda:InvokeFunction"
      Resource = aws_lambda_function.function["WebhookFeedly"].arn
    }]
  })
}
