# SPDX-License-Identifier: Apache-2.0
# The push to phones, and what tells us that one did not arrive. Traces end at the call of
# Publish; whether Apple took the notification stands in SNS's delivery log alone.

locals {
  # Whether there is a certificate is no secret; the certificate is.
  has_platform_application = nonsensitive(var.apns != null)
  apns_platform            = local.has_platform_application ? nonsensitive(var.apns.sandbox) ? "APNS_SANDBOX" : "APNS" : ""
  platform_application_arn = local.has_platform_application ? aws_sns_platform_application.phone[0].arn : ""

  # The application, and the endpoints of devices in it: …:endpoint/APNS/name/id.
  platform_resources = local.has_platform_application ? [
    local.platform_application_arn,
    "${replace(local.platform_application_arn, ":app/", ":endpoint/")}/*",
  ] : []
}

resource "aws_sns_platform_application" "phone" {
  count = local.has_platform_application ? 1 : 0

  name                             = local.name
  platform                         = local.apns_platform
  platform_principal               = var.apns.certificate
  platform_credential              = var.apns.private_key
  event_delivery_failure_topic_arn = aws_sns_topic.dead_notifications.arn
  success_feedback_role_arn        = aws_iam_role.delivery_log.arn
  failure_feedback_role_arn        = aws_iam_role.delivery_log.arn
  success_feedback_sample_rate     = "0"
}

# SNS says here which endpoints have died: the token was given back, or the app removed.
resource "aws_sns_topic" "dead_notifications" {
  name = "${local.name}-dead-notifications"
}

resource "aws_sns_topic" "alarms" {
  name = "${local.name}-alarms"
}

resource "aws_sns_topic_subscription" "email" {
  for_each = var.alarm_email == "" ? {} : {
    alarms             = aws_sns_topic.alarms.arn
    dead_notifications = aws_sns_topic.dead_notifications.arn
  }

  topic_arn = each.value
  protocol  = "email"
  endpoint  = var.alarm_email
}

# The names of these log groups are SNS's choice, with the account in them.
resource "aws_iam_role" "delivery_log" {
  name               = "${local.name}-delivery-log"
  assume_role_policy = local.trust["sns"]
}

resource "aws_iam_role_policy" "delivery_log" {
  name = "log"
  role = aws_iam_role.delivery_log.id

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect   = "Allow"
      Action   = ["logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents", "logs:PutMetricFilter", "logs:PutRetentionPolicy"]
      Resource = "arn:aws:logs:${var.region}:*:log-group:sns/*"
    }]
  })
}
