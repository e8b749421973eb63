# The journey with Terraform: everything below is applied, found unchanged, changed (word), found unchanged, and destroyed.

terraform {
  required_providers {
    aws = { source = "hashicorp/aws" }
  }
}

# An endpoint and keys in the environment are all that it needs, but for buckets: their names are no names of hosts here.
provider "aws" {
  s3_use_path_style = true
}

variable "word" {
  type = string
}

variable "runtime" {
  type = string
}

resource "aws_lambda_layer_version" "words" {
  layer_name               = "words"
  filename                 = "layer.zip"
  source_code_hash         = filebase64sha256("layer.zip")
  description              = var.word
  license_info             = "MIT"
  compatible_runtimes      = [var.runtime]
  compatible_architectures = ["x86_64"]
}

resource "aws_lambda_layer_version_permission" "friend" {
  layer_name     = aws_lambda_layer_version.words.layer_name
  version_number = aws_lambda_layer_version.words.version
  statement_id   = "friend"
  action         = "lambda:GetLayerVersion"
  principal      = "111111111111"
}

resource "aws_lambda_code_signing_config" "warn" {
  description = var.word
  allowed_publishers {
    signing_profile_version_arns = ["arn:aws:signer:us-east-1:000000000000:/signing-profiles/p/abcdefghij"]
  }
  policies {
    untrusted_artifact_on_deployment = "Warn"
  }
  tags = { word = var.word }
}

resource "aws_lambda_function" "f" {
  function_name                  = "f"
  code_signing_config_arn        = aws_lambda_code_signing_config.warn.arn
  role                           = "arn:aws:iam::000000000000:role/any"
  runtime                        = var.runtime
  handler                        = "app.handler"
  filename                       = "${var.word}.zip"
  source_code_hash               = filebase64sha256("${var.word}.zip")
  layers                         = [aws_lambda_layer_version.words.arn]
  publish                        = true
  description                    = var.word
  timeout                        = 60
  memory_size                    = 256
  reserved_concurrent_executions = 5
  tags                           = { word = var.word }
  environment {
    variables = { WORD = var.word }
  }
  ephemeral_storage {
    size = 1024
  }
  logging_config {
    log_format            = "JSON"
    application_log_level = var.word == "one" ? "INFO" : "DEBUG"
    system_log_level      = "WARN"
  }
  tracing_config {
    mode = "PassThrough"
  }
}

resource "aws_lambda_alias" "live" {
  name             = "live"
  description      = var.word
  function_name    = aws_lambda_function.f.function_name
  function_version = "1"
  dynamic "routing_config" {
    for_each = var.word == "one" ? [] : [aws_lambda_function.f.version]
    content {
      additional_version_weights = { (routing_config.value) = 0.5 }
    }
  }
}

resource "aws_lambda_permission" "api" {
  statement_id  = "api"
  action        = "lambda:InvokeFunction"
  function_name = aws_lambda_function.f.function_name
  principal     = "apigateway.amazonaws.com"
  source_arn    = "arn:aws:execute-api:us-east-1:000000000000:abc/*"
}

resource "aws_lambda_permission" "bucket" {
  statement_id   = "bucket"
  action         = "lambda:InvokeFunction"
  function_name  = aws_lambda_function.f.function_name
  qualifier      = aws_lambda_alias.live.name
  principal      = "s3.amazonaws.com"
  source_arn     = "arn:aws:s3:::bucket"
  source_account = "000000000000"
}

resource "aws_lambda_function_event_invoke_config" "f" {
  function_name                = aws_lambda_function.f.function_name
  maximum_retry_attempts       = var.word == "one" ? 0 : 1
  maximum_event_age_in_seconds = 60
}

resource "aws_lambda_function_recursion_config" "f" {
  function_name  = aws_lambda_function.f.function_name
  recursive_loop = "Allow"
}

resource "aws_lambda_function_url" "live" {
  function_name      = aws_lambda_function.f.function_name
  qualifier          = aws_lambda_alias.live.name
  authorization_type = "NONE"
  invoke_mode        = var.word == "one" ? "BUFFERED" : "RESPONSE_STREAM"
  cors {
    allow_origins = ["https://example.com"]
    allow_methods = ["GET"]
    max_age       = var.word == "one" ? 60 : 120
  }
}

# An alias with weights can't have provisioned concurrency.
resource "aws_lambda_alias" "steady" {
  name             = "steady"
  function_name    = aws_lambda_function.f.function_name
  function_version = "1"
}

resource "aws_lambda_provisioned_concurrency_config" "steady" {
  function_name                     = aws_lambda_function.f.function_name
  qualifier                         = aws_lambda_alias.steady.name
  provisioned_concurrent_executions = var.word == "one" ? 1 : 2
}

resource "aws_lambda_runtime_management_config" "f" {
  function_name     = aws_lambda_function.f.function_name
  update_runtime_on = "FunctionUpdate"
}

resource "aws_s3_bucket" "code" {
  bucket = "code"
}

resource "aws_s3_object" "two" {
  bucket = aws_s3_bucket.code.bucket
  key    = "two.zip"
  source = "two.zip"
  etag   = filemd5("two.zip")
}

resource "aws_lambda_layer_version" "stored" {
  layer_name       = "stored"
  s3_bucket        = aws_s3_object.two.bucket
  s3_key           = aws_s3_object.two.key
  source_code_hash = filebase64sha256("two.zip")
}

data "aws_lambda_layer_version" "words" {
  layer_name = aws_lambda_layer_version.words.layer_name
}

data "aws_lambda_alias" "live" {
  function_name = aws_lambda_function.f.function_name
  name          = aws_lambda_alias.live.name
}

data "aws_lambda_functions" "all" {
  depends_on = [aws_lambda_function.f]
}

data "aws_lambda_invocation" "f" {
  function_name = aws_lambda_function.f.function_name
  qualifier     = aws_lambda_function.f.version
  input         = jsonencode({ name = "Ada" })
}

output "layer" {
  value = data.aws_lambda_layer_version.words.arn
}

output "alias" {
  value = data.aws_lambda_alias.live.function_version
}

output "functions" {
  value = join(" ", data.aws_lambda_functions.all.function_names)
}

output "said" {
  value = jsondecode(data.aws_lambda_invocation.f.result).text
}
