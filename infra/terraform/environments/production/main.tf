# All of Easel on AWS. docs/deploy.md explains the deployment step by step.

locals {
  repository = "${path.module}/../../../.."
  origins    = setunion([module.site.url], var.cors_origins)

  # The settings that functions and poller share: addresses and limits. There are no passwords: a client of the database
  # authenticates with a token that IAM issues for its role.
  settings = merge(
    {
      EASEL_DATABASE_URL  = module.database.url
      EASEL_DATABASE_AUTH = "iam"
      EASEL_BROKER_URL    = module.queue.broker_url
      EASEL_S3_ENDPOINT   = module.storage.endpoint
      EASEL_S3_REGION     = var.region
      EASEL_S3_BUCKET     = module.storage.bucket
      EASEL_PUBLIC_URL    = module.site.url
      EASEL_MAX_RUNNING   = tostring(var.limits.max_running)
      EASEL_MAX_QUEUED    = tostring(var.limits.max_queued)
      EASEL_JOBS_PER_DAY  = tostring(var.limits.jobs_per_day)
      EASEL_URL_TTL_S     = tostring(var.limits.url_ttl_s)
      EASEL_LOG_LEVEL     = var.log_level
    },
    # Behind CloudFront the API's caller is a server of CloudFront, which appends the visitor's address.
    { EASEL_TRUSTED_PROXIES = join(",", sort(flatten([for list in data.aws_ec2_managed_prefix_list.cloudfront : list.entries[*].cidr]))) },
    var.more_limits,
    length(var.cors_origins) == 0 ? {} : { EASEL_CORS_ORIGINS = join(",", sort(var.cors_origins)) },
    var.oidc == null ? {} : {
      EASEL_OIDC_ISSUER    = var.oidc.issuer
      EASEL_OIDC_CLIENT_ID = var.oidc.client_id
      EASEL_OIDC_NAME      = var.oidc.name
      EASEL_LOCAL_ACCOUNTS = var.oidc.local_accounts ? "on" : "off"
    },
    var.mail == null ? {} : {
      EASEL_MAIL_URL     = module.mail[0].url
      EASEL_MAIL_FROM    = "${var.mail.from_name} <${var.mail.from_address}>"
      EASEL_VERIFY_EMAIL = var.mail.verify_email ? "on" : "off"
    },
  )
}

data "aws_ec2_managed_prefix_list" "cloudfront" {
  for_each = toset(["com.amazonaws.global.cloudfront.origin-facing", "com.amazonaws.global.ipv6.cloudfront.origin-facing"])

  name = each.key
}

module "network" {
  source = "../../modules/network"

  name            = var.name
  cidr            = var.cidr
  zones           = var.zones
  nat_gateway     = var.nat_gateway
  sign_in         = var.oidc != null
  generator_ports = var.generator_ports
}

module "storage" {
  source = "../../modules/storage"

  name    = var.name
  origins = local.origins
}

module "queue" {
  source = "../../modules/queue"

  name = var.name
}

module "database" {
  source = "../../modules/database"

  name                = var.name
  vpc_id              = module.network.vpc_id
  subnet_ids          = module.network.private_subnet_ids
  client_group_ids    = { functions = module.network.functions_group_id, poller = module.network.poller_group_id }
  instance_class      = var.database.instance_class
  storage_gb          = var.database.storage_gb
  max_storage_gb      = var.database.max_storage_gb
  multi_az            = var.database.multi_az
  backup_days         = var.database.backup_days
  deletion_protection = var.database.deletion_protection
  log_retention_days  = var.log_retention_days
  kms_key_arn         = var.kms_key_arn
}

module "functions" {
  source = "../../modules/functions"

  name                 = var.name
  bundle               = "${local.repository}/dist/functions.zip"
  settings             = local.settings
  generators           = var.generators
  bucket_arn           = module.storage.arn
  queue_arn            = module.queue.arn
  database_user_arn    = module.database.user_arn
  network              = { subnet_ids = module.network.private_subnet_ids, group_id = module.network.functions_group_id }
  sign_in              = var.oidc == null ? null : { secret_arn = var.oidc.secret_arn, group_id = module.network.sign_in_group_id }
  reserved_concurrency = var.reserved_concurrency
  tracing              = var.tracing
  log_retention_days   = var.log_retention_days
  kms_key_arn          = var.kms_key_arn
}

module "gateway" {
  source = "../../modules/gateway"

  name               = var.name
  functions          = module.functions.functions
  cors_origins       = var.cors_origins
  throttle           = var.throttle
  log_retention_days = var.log_retention_days
  kms_key_arn        = var.kms_key_arn
}

module "site" {
  source = "../../modules/site"

  name                 = var.name
  site_directory       = "${local.repository}/dist/site"
  api_endpoint         = module.gateway.endpoint
  pictures_origin      = module.storage.origin
  domain               = var.domain
  web_acl_arn          = var.web_acl_arn
  requests_per_address = var.requests_per_address
  price_class          = var.price_class
  log_retention_days   = var.log_retention_days
}

module "mail" {
  source = "../../modules/mail"
  count  = var.mail == null ? 0 : 1

  name   = var.name
  domain = split("@", var.mail.from_address)[1]
}

module "poller" {
  source = "../../modules/poller"

  name                      = var.name
  image_digest              = var.image_digest
  settings                  = merge(local.settings, var.mail == null ? {} : { EASEL_MAIL_EVENTS_URL = module.mail[0].events_url })
  generators                = var.generators
  generator_keys            = var.generator_keys
  generators_secret         = var.generators_secret
  generators_secret_version = var.generators_secret_version
  subnet_ids                = module.network.poller_subnet_ids
  group_id                  = module.network.poller_group_id
  public_address            = !var.nat_gateway
  bucket_arn                = module.storage.arn
  queue_arn                 = module.queue.arn
  database_user_arn         = module.database.user_arn
  mail                      = var.mail == null ? null : { sending_arns = module.mail[0].sending_arns, from_address = var.mail.from_address, events_arn = module.mail[0].events_arn }
  tasks                     = var.poller_tasks
  queued                    = module.observability.queued
  log_retention_days        = var.log_retention_days
  kms_key_arn               = var.kms_key_arn
}

module "observability" {
  source = "../../modules/observability"

  name               = var.name
  poller_log_group   = module.poller.log_group
  dead_letters       = module.queue.dead_letters
  mail_dead_letters  = var.mail == null ? null : module.mail[0].dead_letters
  api_id             = module.gateway.api_id
  alarm_email        = var.alarm_email
  thresholds         = var.alarm_thresholds
  monthly_budget_usd = var.monthly_budget_usd
}
