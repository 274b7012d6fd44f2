# SPDX-License-Identifier: Apache-2.0
# The six functions, what each may do, and what each is told.
# media-local gives the same limits and actions at the desk; a test compares them.

locals {
  # In production the names are those that the documents use.
  suffix = local.environment == "production" ? "" : "-${local.environment}"

  limits = {
    AuthorizerAPIToken = { timeout = 10, memory = 128 }
    WebhookFeedly      = { timeout = 29, memory = 128 }
    FileCoordinator    = { timeout = 60, memory = 128 }
    StartFileUpload    = { timeout = 900, memory = 2048 }
    RegisterDevice     = { timeout = 29, memory = 128 }
    ListFiles          = { timeout = 29, memory = 128 }
  }

  function_names = keys(local.limits)

  functions = {
    for key, limits in local.limits : key => merge(limits, {
      name      = "${key}${local.suffix}"
      log_group = "/aws/lambda/${key}${local.suffix}"
    })
  }

  # Table by table: nobody may do to one what only another needs.
  # Whoever pushes also takes a dead endpoint from its device.
  table_actions = {
    AuthorizerAPIToken = {
      ApiTokens = ["GetItem"]
    }
    WebhookFeedly = {
      Files       = ["GetItem", "UpdateItem"]
      UserFiles   = ["UpdateItem"]
      UserDevices = ["BatchGetItem"]
      Devices     = ["BatchGetItem", "UpdateItem"]
    }
    FileCoordinator = {
      Files = ["Scan"]
    }
    StartFileUpload = {
      Files       = ["GetItem", "UpdateItem"]
      UserFiles   = ["Scan"]
      UserDevices = ["BatchGetItem"]
      Devices     = ["BatchGetItem", "UpdateItem"]
    }
    RegisterDevice = {
      Devices     = ["PutItem"]
      UserDevices = ["UpdateItem"]
    }
    ListFiles = {
      UserFiles = ["GetItem"]
      Files     = ["BatchGetItem"]
    }
  }

  invoked_function = {
    WebhookFeedly   = "FileCoordinator"
    FileCoordinator = "StartFileUpload"
  }

  # Aborting an upload is an action on the object, finding one on the bucket.
  object_actions = {
    StartFileUpload = ["PutObject", "GetObject", "DeleteObject", "AbortMultipartUpload"]
  }

  bucket_actions = {
    StartFileUpload = ["ListBucketMultipartUploads"]
  }

  push_actions = {
    WebhookFeedly   = ["Publish"]
    StartFileUpload = ["Publish"]
    RegisterDevice  = ["CreatePlatformEndpoint", "GetEndpointAttributes", "SetEndpointAttributes"]
  }

  table_variables = {
    Files       = "FILES_TABLE"
    UserFiles   = "USER_FILES_TABLE"
    Devices     = "DEVICES_TABLE"
    UserDevices = "USER_DEVICES_TABLE"
    ApiTokens   = "API_TOKENS_TABLE"
  }

  media_hosts = join(",", setunion(var.media_hosts, local.synthetic_hosts))

  own_variables = {
    AuthorizerAPIToken = {}
    WebhookFeedly = {
      FILE_COORDINATOR_FUNCTION = local.functions["FileCoordinator"].name
      MEDIA_HOSTS               = local.media_hosts
    }
    FileCoordinator = {
      START_FILE_UPLOAD_FUNCTION = local.functions["StartFileUpload"].name
      MAX_DOWNLOADS              = tostring(var.max_downloads)
    }
    StartFileUpload = merge(
      {
        BUCKET          = aws_s3_bucket.files.bucket
        FILE_URL_BASE   = "https://${aws_cloudfront_distribution.files.domain_name}"
        MEDIA_HOSTS     = local.media_hosts
        YTDLP_PATH      = "/opt/bin/yt-dlp"
        FFMPEG_LOCATION = "/opt/bin"
        JS_RUNTIME      = "quickjs:/opt/bin/qjs"
      },
      # Whether there is a token is no secret, the token is.
      nonsensitive(var.github != null) ? {
        GITHUB_REPOSITORY = nonsensitive(var.github.repository)
        GITHUB_TOKEN      = var.github.token
      } : {},
    )
    RegisterDevice = {
      PLATFORM_APPLICATION_ARN = local.platform_application_arn
    }
    ListFiles = {}
  }

  package_directory = var.package_directory != "" ? var.package_directory : "${path.module}/../../../build/package"
  function_zip      = "${local.package_directory}/media-pipeline-${var.architecture}.zip"
  layer_zip         = "${local.package_directory}/media-layer-${var.architecture}.zip"
}

resource "aws_lambda_function" "function" {
  for_each = local.functions

  function_name    = each.value.name
  role             = aws_iam_role.function[each.key].arn
  runtime          = "provided.al2023"
  architectures    = [var.architecture]
  handler          = each.key
  filename         = local.function_zip
  source_code_hash = filebase64sha256(local.function_zip)
  layers           = each.key == "StartFileUpload" ? [aws_lambda_layer_version.ytdlp.arn] : []
  timeout          = each.value.timeout
  memory_size      = each.value.memory

  reserved_concurrent_executions = each.key == "StartFileUpload" ? var.reserved_downloads : null

  ephemeral_storage {
    size = each.key == "StartFileUpload" ? var.ephemeral_storage_mib : 512
  }

  environment {
    variables = merge(
      { for table in keys(local.table_actions[each.key]) : local.table_variables[table] => aws_dynamodb_table.table[table].name },
      local.own_variables[each.key],
      { ENABLE_XRAY = tostring(var.enable_xray_tracing) },
    )
  }

  tracing_config {
    mode = contains(local.active_functions, each.key) ? "Active" : "PassThrough"
  }

  logging_config {
    log_format = "Text" # the functions write JSON themselves
    log_group  = aws_cloudwatch_log_group.function[each.key].name
  }

  depends_on = [terraform_data.workspace]
}

resource "aws_cloudwatch_log_group" "function" {
  for_each = local.functions

  name              = each.value.log_group
  retention_in_days = var.log_retention_days
}

# ---- The layer ---------------------------------------------------------------------

# Larger than what Lambda takes directly, so it goes through a bucket.
resource "aws_s3_object" "layer" {
  bucket      = aws_s3_bucket.artifacts.bucket
  key         = basename(local.layer_zip)
  source      = local.layer_zip
  source_hash = filemd5(local.layer_zip)
}

resource "aws_lambda_layer_version" "ytdlp" {
  layer_name               = "${local.name}-ytdlp"
  description              = "yt-dlp, its Python, ffmpeg and a JavaScript engine"
  s3_bucket                = aws_s3_object.layer.bucket
  s3_key                   = aws_s3_object.layer.key
  source_code_hash         = filebase64sha256(local.layer_zip)
  compatible_runtimes      = ["provided.al2023"]
  compatible_architectures = [var.architecture]
}
