# SPDX-License-Identifier: Apache-2.0
# What should wake somebody. Errors and times are Lambda's and API Gateway's own metrics, which
# count every request; X-Ray has the number of traces alone, and of those it sampled.

locals {
  # Metrics of media-pipeline itself, from the log lines of the functions.
  own_metrics = "MediaDownloader"

  function_alarms = {
    for key, function in local.functions : "${key}-errors" => {
      description = "${key} failed: see its log, and the trace group ${local.name}-faults"
      namespace   = "AWS/Lambda"
      metric      = "Errors"
      dimensions  = { FunctionName = function.name }
      statistic   = "Sum"
      above       = 0
      minutes     = 5
    }
  }

  # Lambda tries an event three times, and then it is gone.
  event_alarms = {
    for key in ["FileCoordinator", "StartFileUpload"] : "${key}-events-lost" => {
      description = "Events for ${key} were dropped after their retries; the schedule finds the files again"
      namespace   = "AWS/Lambda"
      metric      = "AsyncEventsDropped"
      dimensions  = { FunctionName = local.functions[key].name }
      statistic   = "Sum"
      above       = 0
      minutes     = 5
    }
  }

  pipeline_alarms = {
    api-errors = {
      description = "The API answered 5xx"
      namespace   = "AWS/ApiGateway"
      metric      = "5XXError"
      dimensions  = { ApiName = local.api_name, Stage = local.stage }
      statistic   = "Sum"
      above       = 0
      minutes     = 5
    }
    api-latency = {
      description = "One request to the API in a hundred took over 5 s: cold starts, or DynamoDB"
      namespace   = "AWS/ApiGateway"
      metric      = "Latency"
      dimensions  = { ApiName = local.api_name, Stage = local.stage }
      statistic   = "p99"
      above       = 5000
      minutes     = 15
    }
    downloads-failed = {
      description = "Downloads ended as Failed, or wait to be tried again; error_category says why"
      namespace   = local.own_metrics
      metric      = "VideoDownloadFailure"
      dimensions  = { function = local.functions["StartFileUpload"].name }
      statistic   = "Sum"
      above       = 2
      minutes     = 60
    }
    downloads-slow = {
      description = "One download in ten took over five minutes: see the trace group ${local.name}-slow"
      namespace   = local.own_metrics
      metric      = "VideoDownloadDuration"
      dimensions  = { function = local.functions["StartFileUpload"].name }
      statistic   = "p90"
      above       = 300
      minutes     = 60
    }
    # It counts the traces that X-Ray has, not those that were: raise sampling to see more.
    traces-with-faults = {
      description = "Traces with faults, of those that were sampled: see the trace group ${local.name}-faults"
      namespace   = "AWS/X-Ray"
      metric      = "ApproximateTraceCount"
      dimensions  = { GroupName = aws_xray_group.group["faults"].group_name }
      statistic   = "Sum"
      above       = 2
      minutes     = 15
    }
    notifications-refused = {
      description = "SNS refused a push at once: the endpoint is disabled or gone"
      namespace   = local.own_metrics
      metric      = "PushRefused${local.suffix}"
      dimensions  = {}
      statistic   = "Sum"
      above       = 0
      minutes     = 5
    }
  }

  # Apple's own refusals come later, and only SNS hears of them.
  push_alarms = local.has_platform_application ? {
    notifications-dead = {
      description = "Apple refused notifications: see SNS's delivery log, and the topic ${local.name}-dead-notifications"
      namespace   = "AWS/SNS"
      metric      = "NumberOfNotificationsFailed"
      dimensions  = { Application = local.name, Platform = local.apns_platform }
      statistic   = "Sum"
      above       = 0
      minutes     = 5
    }
  } : {}

  alarms = merge(local.function_alarms, local.event_alarms, local.pipeline_alarms, local.push_alarms)
}

resource "aws_cloudwatch_metric_alarm" "above" {
  for_each = local.alarms

  alarm_name          = "${local.name}-${each.key}"
  alarm_description   = each.value.description
  namespace           = each.value.namespace
  metric_name         = each.value.metric
  dimensions          = each.value.dimensions
  statistic           = each.value.statistic == "Sum" ? "Sum" : null
  extended_statistic  = each.value.statistic == "Sum" ? null : each.value.statistic
  comparison_operator = "GreaterThanThreshold"
  threshold           = each.value.above
  period              = each.value.minutes * 60
  evaluation_periods  = 1
  treat_missing_data  = "notBreaching"
  alarm_actions       = [aws_sns_topic.alarms.arn]
  ok_actions          = [aws_sns_topic.alarms.arn]
}

resource "aws_cloudwatch_log_metric_filter" "push_refused" {
  for_each = toset(["StartFileUpload", "WebhookFeedly"])

  name           = "${local.name}-push-refused"
  log_group_name = aws_cloudwatch_log_group.function[each.key].name
  pattern        = "{ $.message = \"push not sent*\" }"

  metric_transformation {
    namespace = local.own_metrics
    name      = local.pipeline_alarms["notifications-refused"].metric
    value     = "1"
    unit      = "Count"
  }
}

# A metric that does not arrive is the alarm: nothing was downloaded, for whatever reason.
resource "aws_cloudwatch_metric_alarm" "synthetic" {
  count = local.has_synthetic ? 1 : 0

  alarm_name          = "${local.name}-no-download"
  alarm_description   = "No download succeeded, not even the one of the synthetic check"
  namespace           = local.own_metrics
  metric_name         = "VideoDownloadSuccess"
  dimensions          = { function = local.functions["StartFileUpload"].name }
  statistic           = "Sum"
  comparison_operator = "LessThanThreshold"
  threshold           = 1
  period              = var.synthetic_hours * 3600
  evaluation_periods  = 2
  datapoints_to_alarm = 2
  treat_missing_data  = "breaching"
  alarm_actions       = [aws_sns_topic.alarms.arn]
  ok_actions          = [aws_sns_topic.alarms.arn]
}

# ---- Money -------------------------------------------------------------------------

# Of the account, of all services: needs "Receive billing alerts" in its preferences.
resource "aws_cloudwatch_metric_alarm" "charges" {
  count    = var.billing_threshold_usd > 0 ? 1 : 0
  provider = aws.charges

  alarm_name          = "${local.name}-charges"
  alarm_description   = "This month's charges of the account are over ${var.billing_threshold_usd} USD"
  namespace           = "AWS/Billing"
  metric_name         = "EstimatedCharges"
  dimensions          = { Currency = "USD" }
  statistic           = "Maximum"
  comparison_operator = "GreaterThanThreshold"
  threshold           = var.billing_threshold_usd
  period              = 21600
  evaluation_periods  = 1
  treat_missing_data  = "notBreaching"
  alarm_actions       = [aws_sns_topic.charges[0].arn]
}

# An alarm can tell a topic of its own region only.
resource "aws_sns_topic" "charges" {
  count    = var.billing_threshold_usd > 0 ? 1 : 0
  provider = aws.charges

  name = "${local.name}-charges"
}

resource "aws_sns_topic_subscription" "charges_email" {
  count    = var.billing_threshold_usd > 0 && var.alarm_email != "" ? 1 : 0
  provider = aws.charges

  topic_arn = aws_sns_topic.charges[0].arn
  protocol  = "email"
  endpoint  = var.alarm_email
}
