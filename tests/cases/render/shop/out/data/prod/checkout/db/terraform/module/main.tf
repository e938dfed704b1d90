locals {
  path = "/${var.environment}/${var.service}/${var.need}"
  # RDS allows 63 characters: a readable beginning, and a hash that keeps names apart.
  readable   = trimsuffix(substr("${var.environment}-${var.service}-${var.need}", 0, 45), "-")
  identifier = "${local.readable}-${substr(sha256(local.path), 0, 8)}"
  database   = "app"
  user       = "app"
  port       = 5432
}

# Prepared once for each environment by whoever owns its network.
data "aws_db_subnet_group" "this" {
  name = "causeway-${var.environment}"
}

data "aws_vpc" "this" {
  id = data.aws_db_subnet_group.this.vpc_id
}

resource "aws_security_group" "this" {
  name        = local.identifier
  description = "Postgres of ${var.service}, from inside the network only"
  vpc_id      = data.aws_vpc.this.id

  lifecycle {
    create_before_destroy = true
  }
}

resource "aws_vpc_security_group_ingress_rule" "this" {
  for_each = toset([for block in data.aws_vpc.this.cidr_block_associations : block.cidr_block])

  security_group_id = aws_security_group.this.id
  description       = "Postgres from inside the network"
  cidr_ipv4         = each.value
  ip_protocol       = "tcp"
  from_port         = local.port
  to_port           = local.port
}

# The password is made once, stored first, and read back from there: whatever fails in between, the next run uses the
# same one. It passes through ephemeral values and write-only arguments only.
ephemeral "aws_secretsmanager_random_password" "this" {
  password_length     = 40
  exclude_punctuation = true
}

resource "aws_secretsmanager_secret" "password" {
  name                    = "${local.path}-password"
  description             = "Password of Postgres of ${var.service}"
  recovery_window_in_days = var.final_snapshot ? 7 : 0
}

resource "aws_secretsmanager_secret_version" "password" {
  secret_id                = aws_secretsmanager_secret.password.id
  secret_string_wo         = ephemeral.aws_secretsmanager_random_password.this.random_password
  secret_string_wo_version = 1
}

ephemeral "aws_secretsmanager_secret_version" "password" {
  secret_id  = aws_secretsmanager_secret.password.id
  version_id = aws_secretsmanager_secret_version.password.version_id
}

# Its id is made up once in a life: the last snapshots of two databases of one name, one after the other, do not collide.
resource "terraform_data" "version" {
  input = var.postgres_version
}

resource "aws_db_parameter_group" "this" {
  name        = "${local.identifier}-${var.postgres_version}"
  description = "Postgres of ${var.service}"
  family      = "postgres${var.postgres_version}"

  parameter {
    name  = "rds.force_ssl"
    value = "1"
  }

  lifecycle {
    create_before_destroy = true
  }
}

resource "aws_db_instance" "this" {
  identifier     = local.identifier
  engine         = "postgres"
  engine_version = var.postgres_version
  instance_class = var.instance_class

  db_name             = local.database
  username            = local.user
  password_wo         = ephemeral.aws_secretsmanager_secret_version.password.secret_string
  password_wo_version = aws_secretsmanager_secret_version.password.secret_string_wo_version
  port                = local.port

  allocated_storage     = var.storage_gib
  max_allocated_storage = var.storage_gib * 5
  storage_type          = "gp3"
  storage_encrypted     = true

  multi_az               = var.highly_available
  db_subnet_group_name   = data.aws_db_subnet_group.this.name
  vpc_security_group_ids = [aws_security_group.this.id]
  publicly_accessible    = false
  parameter_group_name   = aws_db_parameter_group.this.name
  ca_cert_identifier     = "rds-ca-rsa2048-g1"

  auto_minor_version_upgrade  = true
  allow_major_version_upgrade = false
  apply_immediately           = false
  maintenance_window          = "sun:03:00-sun:04:00"
  backup_window               = "01:00-02:00"
  backup_retention_period     = 14
  copy_tags_to_snapshot       = true

  enabled_cloudwatch_logs_exports       = ["postgresql", "upgrade"]
  performance_insights_enabled          = true
  performance_insights_retention_period = 7

  deletion_protection       = var.deletion_protection
  delete_automated_backups  = !var.final_snapshot
  skip_final_snapshot       = !var.final_snapshot
  final_snapshot_identifier = "${local.identifier}-${var.postgres_version}-${substr(terraform_data.version.id, 0, 8)}"

  lifecycle {
    replace_triggered_by = [terraform_data.version]
    # Minor versions move by themselves in the maintenance window.
    ignore_changes = [engine_version]
  }
}

resource "aws_secretsmanager_secret" "this" {
  name                    = local.path
  description             = "Address and login of Postgres of ${var.service}"
  recovery_window_in_days = var.final_snapshot ? 7 : 0
}

resource "aws_secretsmanager_secret_version" "this" {
  secret_id = aws_secretsmanager_secret.this.id
  secret_string_wo = jsonencode({
    host     = aws_db_instance.this.address
    port     = tostring(local.port)
    name     = local.database
    user     = local.user
    password = ephemeral.aws_secretsmanager_secret_version.password.secret_string
  })
  # Written again when what it says of the instance changes.
  secret_string_wo_version = parseint(substr(sha256(join(" ", [
    aws_db_instance.this.address,
    local.database,
    local.user,
    aws_secretsmanager_secret_version.password.version_id,
  ])), 0, 7), 16)
}
