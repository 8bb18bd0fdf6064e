# What AccelBench's own parts may do in AWS, by EKS Pod Identity. Servers, migrations, reaper and load generators have no
# role at all: they may do nothing.

variable "cluster_name" {
  type = string
}

# An object, so that whether there is one is known before its name is.
variable "bucket" {
  type = object({ arn = string })
}

locals {
  assume = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { Service = "pods.eks.amazonaws.com" }
      Action    = ["sts:AssumeRole", "sts:TagSession"]
    }]
  })
}

# Workers ask for prices and instance types; none of these actions knows resources.
resource "aws_iam_role" "worker" {
  name               = "${var.cluster_name}-worker"
  assume_role_policy = local.assume
}

resource "aws_iam_role_policy" "worker_prices" {
  name = "prices"
  role = aws_iam_role.worker.id
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect = "Allow"
      Action = [
        "pricing:GetProducts",
        "ec2:DescribeSpotPriceHistory",
        "ec2:DescribeInstanceTypes",
        "savingsplans:DescribeSavingsPlansOfferingRates",
      ]
      Resource = "*"
    }]
  })
}

resource "aws_eks_pod_identity_association" "worker" {
  cluster_name    = var.cluster_name
  namespace       = "accelbench"
  service_account = "accelbench-worker"
  role_arn        = aws_iam_role.worker.arn
}

# Engines read weights, where there is a bucket for them.
resource "aws_iam_role" "engine" {
  count              = var.bucket == null ? 0 : 1
  name               = "${var.cluster_name}-engine"
  assume_role_policy = local.assume
}

resource "aws_iam_role_policy" "engine_weights" {
  count = var.bucket == null ? 0 : 1
  name  = "weights"
  role  = aws_iam_role.engine[0].id
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      { Effect = "Allow", Action = "s3:GetObject", Resource = "${var.bucket.arn}/weights/*" },
      {
        Effect    = "Allow"
        Action    = "s3:ListBucket"
        Resource  = var.bucket.arn
        Condition = { StringLike = { "s3:prefix" = "weights/*" } }
      },
    ]
  })
}

resource "aws_eks_pod_identity_association" "engine" {
  count           = var.bucket == null ? 0 : 1
  cluster_name    = var.cluster_name
  namespace       = "accelbench-runs"
  service_account = "accelbench-engine"
  role_arn        = aws_iam_role.engine[0].arn
}
