# What AWS would have answered, where an invented word would not be taken for an ARN or a list would be empty.

mock_data "aws_availability_zones" {
  defaults = { names = ["us-east-1a", "us-east-1b", "us-east-1c", "us-east-1d"] }
}

mock_data "aws_partition" {
  defaults = { partition = "aws" }
}

mock_data "aws_region" {
  defaults = { name = "us-east-1" }
}

mock_data "aws_caller_identity" {
  defaults = { account_id = "123456789012" }
}

mock_data "aws_subnet" {
  defaults = { availability_zone = "us-east-1a", cidr_block = "10.42.8.0/24" }
}

mock_data "aws_eks_cluster" {
  defaults = {
    vpc_config = [{
      vpc_id                    = "vpc-theirs"
      subnet_ids                = ["subnet-theirs-1", "subnet-theirs-2"]
      cluster_security_group_id = "sg-theirs"
      endpoint_private_access   = true
      endpoint_public_access    = false
      public_access_cidrs       = []
      security_group_ids        = []
    }]
  }
}

mock_resource "aws_iam_role" {
  defaults = { arn = "arn:aws:iam::123456789012:role/mock" }
}

mock_resource "aws_iam_policy" {
  defaults = { arn = "arn:aws:iam::123456789012:policy/mock" }
}

mock_resource "aws_kms_key" {
  defaults = { arn = "arn:aws:kms:us-east-1:123456789012:key/mock", key_id = "mock" }
}

mock_resource "aws_sqs_queue" {
  defaults = { arn = "arn:aws:sqs:us-east-1:123456789012:mock", url = "https://sqs.us-east-1.amazonaws.com/123456789012/mock" }
}

mock_resource "aws_s3_bucket" {
  defaults = { arn = "arn:aws:s3:::mock" }
}

mock_resource "aws_launch_template" {
  defaults = { id = "lt-mock", latest_version = 1 }
}

mock_resource "aws_rds_cluster" {
  defaults = {
    master_user_secret = [{
      secret_arn    = "arn:aws:secretsmanager:us-east-1:123456789012:secret:mock"
      kms_key_id    = "mock"
      secret_status = "active"
    }]
  }
}
