# Backups, encryption, and nobody from outside.

mock_provider "aws" {
  source = "./tests/mocks"
}

variables {
  name                     = "bench"
  vpc_id                   = "vpc-1"
  subnet_ids               = ["subnet-1", "subnet-2"]
  client_security_group_id = "sg-cluster"
  settings = {
    engine_version        = "17.5"
    min_capacity_acu      = 0.5
    max_capacity_acu      = 8
    backup_retention_days = 14
    deletion_protection   = true
  }
}

run "database" {
  module {
    source = "./modules/database"
  }

  assert {
    condition     = aws_rds_cluster.this.backup_retention_period >= 7 && aws_rds_cluster.this.preferred_backup_window != ""
    error_message = "backups are kept for a week at least, which also is how far back any second can be restored"
  }
  assert {
    condition     = aws_rds_cluster.this.deletion_protection && !aws_rds_cluster.this.skip_final_snapshot
    error_message = "the database cannot be deleted by accident, nor without a last snapshot"
  }
  assert {
    condition     = aws_rds_cluster.this.storage_encrypted && aws_rds_cluster.this.kms_key_id == aws_kms_key.this.arn
    error_message = "storage and backups are encrypted with the installation's own key"
  }
  assert {
    condition     = aws_kms_key.this.enable_key_rotation
    error_message = "the key is renewed every year"
  }
  assert {
    condition     = alltrue([for instance in aws_rds_cluster_instance.this : !instance.publicly_accessible])
    error_message = "no instance has an address in the internet"
  }
  assert {
    condition     = length(aws_rds_cluster_instance.this) == 2
    error_message = "there is a writer and a reader"
  }
  assert {
    condition     = aws_rds_cluster.this.manage_master_user_password && aws_rds_cluster.this.master_password == null
    error_message = "the owner's password is made by AWS and is not in Terraform's state"
  }
  assert {
    condition     = aws_rds_cluster.this.iam_database_authentication_enabled
    error_message = "IAM identities may sign in"
  }
  assert {
    condition     = contains([for parameter in aws_rds_cluster_parameter_group.this.parameter : "${parameter.name}=${parameter.value}"], "rds.force_ssl=1")
    error_message = "connections without TLS are refused"
  }
  assert {
    condition = (
      aws_vpc_security_group_ingress_rule.clients.referenced_security_group_id == "sg-cluster"
      && aws_vpc_security_group_ingress_rule.clients.cidr_ipv4 == null
      && aws_vpc_security_group_ingress_rule.clients.from_port == 5432
      && aws_vpc_security_group_ingress_rule.clients.to_port == 5432
    )
    error_message = "only the cluster's pods come in, at PostgreSQL's port"
  }
}
