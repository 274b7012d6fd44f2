# SPDX-License-Identifier: Apache-2.0
# The REST API: an HTTP API (v2) cannot be traced. Tokens come as Authorization or ?ApiKey= and
# are the authorizer's matter; the API key beside them counts and limits the phone's requests.

locals {
  # As at the desk: in production the map shows MediaDownloader/prod.
  api_name = "MediaDownloader${local.suffix}"
  stage    = "prod"

  routes = {
    webhook        = { method = "POST", function = "WebhookFeedly", needs_key = var.webhook_requires_api_key }
    registerDevice = { method = "POST", function = "RegisterDevice", needs_key = true }
    files          = { method = "GET", function = "ListFiles", needs_key = true }
  }

  # The envelope of the functions, for what API Gateway answers by itself.
  gateway_errors = {
    DEFAULT_4XX = "custom-4XX-generic"
    DEFAULT_5XX = "custom-5XX-generic"
  }
}

resource "aws_api_gateway_rest_api" "api" {
  name           = local.api_name
  api_key_source = "HEADER"

  endpoint_configuration {
    types = ["REGIONAL"]
  }
}

resource "aws_api_gateway_authorizer" "token" {
  rest_api_id    = aws_api_gateway_rest_api.api.id
  name           = "token"
  type           = "REQUEST"
  authorizer_uri = aws_lambda_function.function["AuthorizerAPIToken"].invoke_arn

  # There are two places for a token, so that none can be the key of a cache or be demanded: this
  # source is always there, and the authorizer is asked each time.
  identity_source                  = "context.httpMethod"
  authorizer_result_ttl_in_seconds = 0
}

resource "aws_api_gateway_resource" "route" {
  for_each = local.routes

  rest_api_id = aws_api_gateway_rest_api.api.id
  parent_id   = aws_api_gateway_rest_api.api.root_resource_id
  path_part   = each.key
}

resource "aws_api_gateway_method" "route" {
  for_each = local.routes

  rest_api_id      = aws_api_gateway_rest_api.api.id
  resource_id      = aws_api_gateway_resource.route[each.key].id
  http_method      = each.value.method
  authorization    = "CUSTOM"
  authorizer_id    = aws_api_gateway_authorizer.token.id
  api_key_required = each.value.needs_key
}

resource "aws_api_gateway_integration" "route" {
  for_each = local.routes

  rest_api_id             = aws_api_gateway_rest_api.api.id
  resource_id             = aws_api_gateway_resource.route[each.key].id
  http_method             = aws_api_gateway_method.route[each.key].http_method
  type                    = "AWS_PROXY"
  integration_http_method = "POST"
  uri                     = aws_lambda_function.function[each.value.function].invoke_arn
}

resource "aws_api_gateway_gateway_response" "error" {
  for_each = local.gateway_errors

  rest_api_id   = aws_api_gateway_rest_api.api.id
  response_type = each.key

  response_templates = {
    "application/json" = "{\"error\":{\"code\":\"${each.value}\",\"message\":$context.error.messageString},\"requestId\":\"$context.requestId\"}"
  }
}

resource "aws_lambda_permission" "route" {
  for_each = local.routes

  statement_id  = "api"
  action        = "lambda:InvokeFunction"
  function_name = aws_lambda_function.function[each.value.function].function_name
  principal     = "apigateway.amazonaws.com"
  source_arn    = "${aws_api_gateway_rest_api.api.execution_arn}/${local.stage}/${each.value.method}/${each.key}"
}

resource "aws_lambda_permission" "authorizer" {
  statement_id  = "api"
  action        = "lambda:InvokeFunction"
  function_name = aws_lambda_function.function["AuthorizerAPIToken"].function_name
  principal     = "apigateway.amazonaws.com"
  source_arn    = "${aws_api_gateway_rest_api.api.execution_arn}/authorizers/${aws_api_gateway_authorizer.token.id}"
}

# ---- The stage ---------------------------------------------------------------------

resource "aws_api_gateway_deployment" "api" {
  rest_api_id = aws_api_gateway_rest_api.api.id

  # A deployment is a copy: it has to be made anew when what it copies changes.
  triggers = {
    content = sha256(jsonencode([
      aws_api_gateway_resource.route,
      aws_api_gateway_method.route,
      aws_api_gateway_integration.route,
      aws_api_gateway_gateway_response.error,
      aws_api_gateway_authorizer.token,
    ]))
  }

  lifecycle {
    create_before_destroy = true
  }
}

resource "aws_api_gateway_stage" "api" {
  rest_api_id          = aws_api_gateway_rest_api.api.id
  deployment_id        = aws_api_gateway_deployment.api.id
  stage_name           = local.stage
  xray_tracing_enabled = local.stage_is_traced

  # No bodies and no query: tokens can be in both.
  access_log_settings {
    destination_arn = aws_cloudwatch_log_group.api.arn
    format = jsonencode({
      requestId          = "$context.requestId"
      time               = "$context.requestTime"
      method             = "$context.httpMethod"
      path               = "$context.resourcePath"
      status             = "$context.status"
      latencyMs          = "$context.responseLatency"
      integrationMs      = "$context.integrationLatency"
      authorizerStatus   = "$context.authorizer.status"
      integrationStatus  = "$context.integrationStatus"
      errorType          = "$context.error.responseType"
      responseLength     = "$context.responseLength"
      traceId            = "$context.xrayTraceId"
      functionsRequestId = "$context.integration.requestId"
    })
  }

  depends_on = [aws_api_gateway_account.log]
}

resource "aws_api_gateway_method_settings" "api" {
  rest_api_id = aws_api_gateway_rest_api.api.id
  stage_name  = aws_api_gateway_stage.api.stage_name
  method_path = "*/*"

  settings {
    metrics_enabled        = false # those of the stage are free and enough; these are five a route, and charged
    logging_level          = "OFF" # it would write the query, with the token
    data_trace_enabled     = false
    throttling_rate_limit  = var.api_rate.per_second
    throttling_burst_limit = var.api_rate.burst
  }
}

resource "aws_cloudwatch_log_group" "api" {
  name              = "/aws/apigateway/${local.name}"
  retention_in_days = var.log_retention_days
}

resource "aws_iam_role" "api_log" {
  count = var.manage_api_gateway_account ? 1 : 0

  name               = "${local.name}-api-log"
  assume_role_policy = local.trust["apigateway"]
}

# What API Gateway checks the role against before it takes it.
resource "aws_iam_role_policy_attachment" "api_log" {
  count = var.manage_api_gateway_account ? 1 : 0

  role       = aws_iam_role.api_log[0].name
  policy_arn = "arn:aws:iam::aws:policy/service-role/AmazonAPIGatewayPushToCloudWatchLogs"
}

resource "aws_api_gateway_account" "log" {
  count = var.manage_api_gateway_account ? 1 : 0

  cloudwatch_role_arn = aws_iam_role.api_log[0].arn

  depends_on = [aws_iam_role_policy_attachment.api_log]
}

# ---- The key -----------------------------------------------------------------------

resource "aws_api_gateway_api_key" "app" {
  name = "${local.name}-app"
}

resource "aws_api_gateway_usage_plan" "app" {
  name = "${local.name}-app"

  api_stages {
    api_id = aws_api_gateway_rest_api.api.id
    stage  = aws_api_gateway_stage.api.stage_name
  }

  throttle_settings {
    rate_limit  = var.api_rate.per_second
    burst_limit = var.api_rate.burst
  }
}

resource "aws_api_gateway_usage_plan_key" "app" {
  key_id        = aws_api_gateway_api_key.app.id
  key_type      = "API_KEY"
  usage_plan_id = aws_api_gateway_usage_plan.app.id
}
