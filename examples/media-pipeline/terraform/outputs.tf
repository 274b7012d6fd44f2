# SPDX-License-Identifier: Apache-2.0
# What one needs to use it, and to look at it.

output "api_url" {
  description = "The address of the API; its routes are /webhook, /registerDevice and /files."
  value       = aws_api_gateway_stage.api.invoke_url
}

output "api_key" {
  description = "The app's X-API-Key."
  value       = aws_api_gateway_api_key.app.value
  sensitive   = true
}

output "api_tokens_table" {
  description = "Where an item for each token has to be put."
  value       = aws_dynamodb_table.table["ApiTokens"].name
}

output "files_url" {
  description = "Where the phone finds the files."
  value       = "https://${aws_cloudfront_distribution.files.domain_name}"
}

output "functions" {
  description = "The functions' names in this workspace, for the queries of docs/operations.md."
  value       = { for key, function in aws_lambda_function.function : key => function.function_name }
}

output "trace_groups" {
  description = "X-Ray's groups: all traces, those with faults, and the slow downloads."
  value       = { for key, group in aws_xray_group.group : key => group.group_name }
}

output "dashboard" {
  description = "The name of the dashboard in CloudWatch."
  value       = aws_cloudwatch_dashboard.pipeline.dashboard_name
}
