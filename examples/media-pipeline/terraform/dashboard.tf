# SPDX-License-Identifier: Apache-2.0
# One page: is it used, does it work, is it fast, do notifications arrive, what is traced.

locals {
  function_order = ["AuthorizerAPIToken", "WebhookFeedly", "FileCoordinator", "StartFileUpload", "RegisterDevice", "ListFiles"]
  download       = ["function", local.functions["StartFileUpload"].name]
  api_stage      = ["ApiName", local.api_name, "Stage", local.stage]

  charts = [
    {
      title = "Requests and errors of the API"
      stat  = "Sum"
      metrics = [
        for metric in ["Count", "4XXError", "5XXError"] : concat(["AWS/ApiGateway", metric], local.api_stage)
      ]
    },
    {
      title   = "Latency of the API, ms"
      stat    = "p99"
      metrics = [concat(["AWS/ApiGateway", "Latency"], local.api_stage)]
    },
    {
      title   = "Invocations"
      stat    = "Sum"
      metrics = [for key in local.function_order : ["AWS/Lambda", "Invocations", "FunctionName", local.functions[key].name]]
    },
    {
      title   = "Errors"
      stat    = "Sum"
      metrics = [for key in local.function_order : ["AWS/Lambda", "Errors", "FunctionName", local.functions[key].name]]
    },
    {
      title   = "Duration of the functions, p99, ms"
      stat    = "p99"
      metrics = [for key in local.function_order : ["AWS/Lambda", "Duration", "FunctionName", local.functions[key].name]]
    },
    {
      title = "Downloads"
      stat  = "Sum"
      metrics = [
        for metric in ["VideoDownloadSuccess", "VideoDownloadFailure"] : concat([local.own_metrics, metric], local.download)
      ]
    },
    {
      title   = "Duration of a download, p90, s"
      stat    = "p90"
      metrics = [concat([local.own_metrics, "VideoDownloadDuration"], local.download)]
    },
    {
      title   = "Size of a file, bytes"
      stat    = "Average"
      metrics = [concat([local.own_metrics, "VideoFileSize"], local.download)]
    },
    {
      title = "Notifications that did not arrive"
      stat  = "Sum"
      metrics = concat(
        [[local.own_metrics, local.pipeline_alarms["notifications-refused"].metric]],
        local.has_platform_application ? [["AWS/SNS", "NumberOfNotificationsFailed", "Application", local.name, "Platform", local.apns_platform]] : [],
      )
    },
    {
      title   = "Traces that X-Ray has"
      stat    = "Sum"
      metrics = [for group in aws_xray_group.group : ["AWS/X-Ray", "ApproximateTraceCount", "GroupName", group.group_name]]
    },
  ]
}

resource "aws_cloudwatch_dashboard" "pipeline" {
  dashboard_name = local.name

  dashboard_body = jsonencode({
    widgets = [
      for index, chart in local.charts : {
        type   = "metric"
        x      = index % 2 * 12
        y      = floor(index / 2) * 6
        width  = 12
        height = 6
        properties = {
          title   = chart.title
          region  = var.region
          view    = "timeSeries"
          stat    = chart.stat
          period  = 300
          metrics = chart.metrics
        }
      }
    ]
  })
}
