# SPDX-License-Identifier: Apache-2.0
# FileCoordinator starts what is due. A schedule has no caller: each run is a trace of its own.

resource "aws_cloudwatch_event_rule" "due" {
  name                = "${local.name}-due"
  description         = "Starts the downloads that are due"
  schedule_expression = var.schedule
}

resource "aws_cloudwatch_event_target" "due" {
  rule = aws_cloudwatch_event_rule.due.name
  arn  = aws_lambda_function.function["FileCoordinator"].arn
}

resource "aws_lambda_permission" "due" {
  statement_id  = "schedule"
  action        = "lambda:InvokeFunction"
  function_name = aws_lambda_function.function["FileCoordinator"].function_name
  principal     = "events.amazonaws.com"
  source_arn    = aws_cloudwatch_event_rule.due.arn
}
