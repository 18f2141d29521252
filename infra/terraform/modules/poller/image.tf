resource "aws_ecr_repository" "app" {
  #checkov:skip=CKV_AWS_136:encrypted with the registry's own key; the image holds no secret
  name                 = var.name
  image_tag_mutability = "IMMUTABLE"
  force_delete         = true

  encryption_configuration {
    encryption_type = "AES256"
  }

  image_scanning_configuration {
    scan_on_push = true
  }
}

resource "aws_ecr_lifecycle_policy" "app" {
  repository = aws_ecr_repository.app.name

  policy = jsonencode({
    rules = [{
      rulePriority = 1
      description  = "The last ten images: enough to roll back."
      selection    = { tagStatus = "any", countType = "imageCountMoreThan", countNumber = 10 }
      action       = { type = "expire" }
    }]
  })
}

# Generators' addresses that contain names and passwords. The value is write-only: it passes through Terraform into
# Secrets Manager and is stored in no plan or state. Increase the version to write it again.
resource "aws_secretsmanager_secret" "generators" {
  #checkov:skip=CKV_AWS_149:encrypted with the key of AWS; only the task's own role may read it
  #checkov:skip=CKV2_AWS_57:the generators' operators change their passwords
  count = var.generators_secret_version > 0 ? 1 : 0

  name                    = "${var.name}/generators"
  description             = "EASEL_GENERATORS with credentials."
  recovery_window_in_days = 7
}

resource "aws_secretsmanager_secret_version" "generators" {
  count = var.generators_secret_version > 0 ? 1 : 0

  secret_id                = aws_secretsmanager_secret.generators[0].id
  secret_string_wo         = var.generators_secret
  secret_string_wo_version = var.generators_secret_version
}
