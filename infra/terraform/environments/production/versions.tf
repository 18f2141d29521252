terraform {
  required_version = ">= 1.11"

  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = "~> 6.25.0"
    }
  }

  # The bucket is named by -backend-config (docs/deploy.md); the lock is a file in it.
  backend "s3" {
    key          = "easel/terraform.tfstate"
    encrypt      = true
    use_lockfile = true
  }
}

provider "aws" {
  region = var.region

  default_tags {
    tags = merge({ project = "easel", installation = var.name }, var.tags)
  }
}
