# One function for each name of the manifest, and no credentials on their way into one.

mock_provider "aws" {}

variables {
  name       = "easel"
  bundle     = "main.tf" # any file: nothing is uploaded
  settings   = { EASEL_S3_BUCKET = "easel-pictures" }
  generators = ["img_generator+https://gpu.example.com?max_in_flight=4"]
  bucket_arn = "arn:aws:s3:::easel-pictures"
  queue_arn  = "arn:aws:sqs:us-east-1:123456789012:easel"
}

run "as_many_as_the_manifest_names" {
  command = plan

  assert {
    condition     = length(aws_lambda_function.this) == length(distinct(jsondecode(file("../../../../functions/manifest.json"))[*].name))
    error_message = "The functions are not those of the manifest."
  }

  assert {
    condition     = aws_lambda_function.this["status"].timeout == 28 && aws_lambda_function.this["status"].handler == "functions.status.handler"
    error_message = "The function status is not as the manifest has it."
  }
}

run "credentials_are_refused" {
  command = plan

  variables {
    generators = ["img_generator+https://name:word@gpu.example.com"]
  }

  expect_failures = [var.generators]
}

run "a_bundle_has_to_be_there" {
  command = plan

  variables {
    bundle = "main.tf.zip"
  }

  expect_failures = [var.bundle]
}

run "reserving_for_a_missing_function_is_a_mistake" {
  command = plan

  variables {
    reserved_concurrency = { sign_up = 5 }
  }

  expect_failures = [aws_lambda_function.this]
}
