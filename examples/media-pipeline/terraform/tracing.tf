# SPDX-License-Identifier: Apache-2.0
# Who is traced. The four options differ in these values and in nothing else.

locals {
  active_functions = {
    full      = toset(local.function_names)
    selective = var.traced_functions
    passive   = toset([])
    on_demand = var.enable_xray_tracing ? toset(local.function_names) : toset([])
  }[var.tracing]

  stage_is_traced = var.tracing == "on_demand" ? var.enable_xray_tracing : true

  # The rules that apply to requests; for schedules and invokes Lambda decides by itself.
  stage_rules = merge(
    {
      "MediaDownloader${local.suffix}" = { priority = 9000, sampling = var.sampling }
    },
    var.tracing == "on_demand" ? {
      "MediaDownloaderDebug${local.suffix}" = { priority = 1000, sampling = var.debug_sampling }
    } : {},
  )

  # API Gateway's node on the map is called API/stage.
  stage_service = "${local.api_name}/${local.stage}"

  services = concat([local.stage_service], [for function in local.functions : function.name])

  # A trace's own fault is that of its first request, which was answered long before a download
  # failed: each service is asked. And faults, not errors: a token that has expired is nobody's alarm.
  trace_groups = {
    all    = join(" OR ", [for service in local.services : "service(\"${service}\")"])
    faults = join(" OR ", [for service in local.services : "service(\"${service}\") {fault}"])
    slow   = "service(\"${local.functions["StartFileUpload"].name}\") {responsetime > 300}"
  }
}

resource "aws_xray_sampling_rule" "stage" {
  for_each = local.stage_rules

  rule_name      = each.key
  priority       = each.value.priority
  version        = 1
  reservoir_size = each.value.sampling.per_second
  fixed_rate     = each.value.sampling.rate
  service_type   = "AWS::ApiGateway::Stage"
  service_name   = local.stage_service
  host           = "*"
  http_method    = "*"
  url_path       = "*"
  resource_arn   = "*"
}

resource "aws_xray_group" "group" {
  for_each = local.trace_groups

  group_name        = "${local.name}-${each.key}"
  filter_expression = each.value

  # Insights cost extra for each trace.
  insights_configuration {
    insights_enabled      = false
    notifications_enabled = false
  }
}
