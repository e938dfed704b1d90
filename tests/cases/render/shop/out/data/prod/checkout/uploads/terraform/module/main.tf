locals {
  path = "/${var.environment}/${var.service}/${var.need}"
  mark = substr(sha256(local.path), 0, 8)
  # Names of buckets are the world's: the account number keeps ours apart, the hash those of one account.
  readable = trimsuffix(substr("${var.environment}-${var.service}-${var.need}", 0, 41), "-")
  bucket   = "${local.readable}-${local.mark}-${data.aws_caller_identity.this.account_id}"
}

data "aws_caller_identity" "this" {}

data "aws_region" "this" {}

data "aws_partition" "this" {}

resource "aws_s3_bucket" "this" {
  bucket        = local.bucket
  force_destroy = var.force_destroy
}

resource "aws_s3_bucket_ownership_controls" "this" {
  bucket = aws_s3_bucket.this.id

  rule {
    object_ownership = "BucketOwnerEnforced"
  }
}

resource "aws_s3_bucket_public_access_block" "this" {
  bucket = aws_s3_bucket.this.id

  block_public_acls       = true
  block_public_policy     = true
  ignore_public_acls      = true
  restrict_public_buckets = true
}

resource "aws_s3_bucket_server_side_encryption_configuration" "this" {
  bucket = aws_s3_bucket.this.id

  rule {
    bucket_key_enabled = true

    apply_server_side_encryption_by_default {
      sse_algorithm = "aws:kms"
    }
  }
}

resource "aws_s3_bucket_versioning" "this" {
  bucket = aws_s3_bucket.this.id

  versioning_configuration {
    status = var.versioning ? "Enabled" : "Suspended"
  }
}

resource "aws_s3_bucket_lifecycle_configuration" "this" {
  bucket = aws_s3_bucket.this.id

  rule {
    id     = "leftovers"
    status = "Enabled"

    filter {}

    abort_incomplete_multipart_upload {
      days_after_initiation = 7
    }

    noncurrent_version_expiration {
      noncurrent_days = 30
    }
  }

  dynamic "rule" {
    for_each = var.expire_days > 0 ? [var.expire_days] : []

    content {
      id     = "expire"
      status = "Enabled"

      filter {}

      expiration {
        days = rule.value
      }

      abort_incomplete_multipart_upload {
        days_after_initiation = 7
      }
    }
  }

  depends_on = [aws_s3_bucket_versioning.this]
}

data "aws_iam_policy_document" "tls_only" {
  statement {
    sid       = "OnlyEncryptedConnections"
    effect    = "Deny"
    actions   = ["s3:*"]
    resources = [aws_s3_bucket.this.arn, "${aws_s3_bucket.this.arn}/*"]

    principals {
      type        = "*"
      identifiers = ["*"]
    }

    condition {
      test     = "Bool"
      variable = "aws:SecureTransport"
      values   = ["false"]
    }
  }
}

resource "aws_s3_bucket_policy" "this" {
  bucket = aws_s3_bucket.this.id
  policy = data.aws_iam_policy_document.tls_only.json

  depends_on = [aws_s3_bucket_public_access_block.this]
}

data "aws_iam_policy_document" "use" {
  statement {
    actions   = ["s3:ListBucket", "s3:ListBucketMultipartUploads"]
    resources = [aws_s3_bucket.this.arn]
  }

  statement {
    actions   = ["s3:GetObject", "s3:PutObject", "s3:DeleteObject", "s3:AbortMultipartUpload"]
    resources = ["${aws_s3_bucket.this.arn}/*"]
  }
}

resource "aws_iam_policy" "use" {
  name        = "${local.readable}-${local.mark}"
  description = "What ${var.service} does with its bucket"
  policy      = data.aws_iam_policy_document.use.json
}

data "aws_iam_policy_document" "pods" {
  statement {
    actions = ["sts:AssumeRole", "sts:TagSession"]

    principals {
      type        = "Service"
      identifiers = ["pods.eks.amazonaws.com"]
    }
  }
}

resource "aws_iam_role" "pods" {
  count = var.eks_cluster == "" ? 0 : 1

  name               = "${local.readable}-${local.mark}"
  description        = "Pods of ${var.service}"
  assume_role_policy = data.aws_iam_policy_document.pods.json
}

resource "aws_iam_role_policy_attachment" "pods" {
  count = var.eks_cluster == "" ? 0 : 1

  role       = aws_iam_role.pods[0].name
  policy_arn = aws_iam_policy.use.arn
}

resource "aws_eks_pod_identity_association" "pods" {
  count = var.eks_cluster == "" ? 0 : 1

  cluster_name    = var.eks_cluster
  namespace       = var.namespace
  service_account = var.service
  role_arn        = aws_iam_role.pods[0].arn
}

resource "aws_secretsmanager_secret" "this" {
  name        = local.path
  description = "Name and address of the bucket of ${var.service}"
  # Nothing in it is worth recovering, and its name is free again at once.
  recovery_window_in_days = 0
}

resource "aws_secretsmanager_secret_version" "this" {
  secret_id = aws_secretsmanager_secret.this.id
  secret_string_wo = jsonencode({
    name   = aws_s3_bucket.this.id
    region = data.aws_region.this.name
    host   = "s3.${data.aws_region.this.name}.${data.aws_partition.this.dns_suffix}"
  })
  secret_string_wo_version = parseint(substr(sha256("${aws_s3_bucket.this.id} ${data.aws_region.this.name}"), 0, 7), 16)
}
