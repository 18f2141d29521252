# What an emulator of AWS (MiniStack, LocalStack) can run without containers: bucket, queue, functions, HTTP API, mail
# and alarms, from the same modules as production. What it lacks is left out: RDS and Fargate (Postgres is provided from
# outside, and no poller runs), CloudFront's log deliveries (so the API is called at its own address) and budgets.

module "storage" {
  source = "../../modules/storage"

  name          = var.name
  origins       = [var.public_url]
  force_destroy = true
  tls_only      = false
}

module "queue" {
  source = "../../modules/queue"

  name     = var.name
  tls_only = false
}

module "functions" {
  source = "../../modules/functions"

  name       = var.name
  bundle     = var.bundle
  generators = ["img_generator+http://127.0.0.1:9"]
  bucket_arn = module.storage.arn
  queue_arn  = module.queue.arn

  settings = {
    EASEL_DATABASE_URL = var.database_url
    EASEL_BROKER_URL   = module.queue.broker_url
    EASEL_S3_ENDPOINT  = var.endpoint
    EASEL_S3_REGION    = "us-east-1"
    EASEL_S3_BUCKET    = module.storage.bucket
    EASEL_PUBLIC_URL   = var.public_url
  }
}

module "gateway" {
  source = "../../modules/gateway"

  name      = var.name
  functions = module.functions.functions
}

module "mail" {
  source = "../../modules/mail"

  name     = var.name
  domain   = "example.com"
  tls_only = false
}

module "observability" {
  source = "../../modules/observability"

  name               = var.name
  dead_letters       = module.queue.dead_letters
  mail_dead_letters  = module.mail.dead_letters
  api_id             = module.gateway.api_id
  alarm_email        = "operator@example.com"
  monthly_budget_usd = null
}
