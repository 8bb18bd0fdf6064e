# Aurora PostgreSQL Serverless v2: a writer and a reader in different zones, encrypted, backed up every night with every
# second of the last days to be restored, out of reach of the internet, and not to be deleted by accident.

variable "name" {
  type = string
}

variable "vpc_id" {
  type = string
}

variable "subnet_ids" {
  type = list(string)
}

variable "client_security_group_id" {
  type = string
}

variable "settings" {
  type = object({
    engine_version        = string
    min_capacity_acu      = number
    max_capacity_acu      = number
    backup_retention_days = number
    deletion_protection   = bool
  })
}

data "aws_subnet" "this" {
  count = length(var.subnet_ids)
  id    = var.subnet_ids[count.index]
}

resource "aws_kms_key" "this" {
  description             = "Database ${var.name}, its backups and its owner's password"
  enable_key_rotation     = true
  deletion_window_in_days = 30
}

resource "aws_db_subnet_group" "this" {
  name       = "${var.name}-database"
  subnet_ids = var.subnet_ids
}

resource "aws_security_group" "this" {
  name        = "${var.name}-database"
  description = "PostgreSQL of ${var.name}: the cluster's pods alone"
  vpc_id      = var.vpc_id
  tags        = { Name = "${var.name}-database" }
}

resource "aws_vpc_security_group_ingress_rule" "clients" {
  security_group_id            = aws_security_group.this.id
  description                  = "Pods of the cluster"
  referenced_security_group_id = var.client_security_group_id
  ip_protocol                  = "tcp"
  from_port                    = 5432
  to_port                      = 5432
}

resource "aws_rds_cluster_parameter_group" "this" {
  name_prefix = "${var.name}-"
  family      = "aurora-postgresql${split(".", var.settings.engine_version)[0]}"
  parameter {
    name  = "rds.force_ssl"
    value = "1"
  }
  # In milliseconds: a quarter of what the catalog may take.
  parameter {
    name  = "log_min_duration_statement"
    value = "500"
  }
  lifecycle {
    create_before_destroy = true
  }
}

resource "aws_rds_cluster" "this" {
  cluster_identifier                  = var.name
  engine                              = "aurora-postgresql"
  engine_version                      = var.settings.engine_version
  database_name                       = "accelbench"
  master_username                     = "accelbench_owner"
  manage_master_user_password         = true
  master_user_secret_kms_key_id       = aws_kms_key.this.key_id
  iam_database_authentication_enabled = true
  db_subnet_group_name                = aws_db_subnet_group.this.name
  vpc_security_group_ids              = [aws_security_group.this.id]
  db_cluster_parameter_group_name     = aws_rds_cluster_parameter_group.this.name
  storage_encrypted                   = true
  kms_key_id                          = aws_kms_key.this.arn
  backup_retention_period             = var.settings.backup_retention_days
  preferred_backup_window             = "03:00-04:00"
  preferred_maintenance_window        = "sun:04:30-sun:05:30"
  copy_tags_to_snapshot               = true
  deletion_protection                 = var.settings.deletion_protection
  skip_final_snapshot                 = false
  final_snapshot_identifier           = "${var.name}-final"
  enabled_cloudwatch_logs_exports     = ["postgresql"]

  serverlessv2_scaling_configuration {
    min_capacity = var.settings.min_capacity_acu
    max_capacity = var.settings.max_capacity_acu
  }
}

# One writes, the other reads and takes its place: which is which changes with every failover.
resource "aws_rds_cluster_instance" "this" {
  for_each            = { a = 0, b = 1 }
  identifier          = "${var.name}-${each.key}"
  cluster_identifier  = aws_rds_cluster.this.id
  engine              = aws_rds_cluster.this.engine
  instance_class      = "db.serverless"
  promotion_tier      = each.value
  availability_zone   = data.aws_subnet.this[each.value].availability_zone
  publicly_accessible = false
  # The cluster's engine_version is what runs: an upgrade of AWS's own would make Terraform want to go back.
  auto_minor_version_upgrade      = false
  copy_tags_to_snapshot           = true
  performance_insights_enabled    = true
  performance_insights_kms_key_id = aws_kms_key.this.arn
  ca_cert_identifier              = "rds-ca-rsa2048-g1"
}

output "writer_endpoint" {
  value = aws_rds_cluster.this.endpoint
}

output "reader_endpoint" {
  value = aws_rds_cluster.this.reader_endpoint
}

output "owner_secret_arn" {
  value = aws_rds_cluster.this.master_user_secret[0].secret_arn
}

output "cluster_resource_id" {
  value = aws_rds_cluster.this.cluster_resource_id
}

output "cidrs" {
  value = data.aws_subnet.this[*].cidr_block
}
