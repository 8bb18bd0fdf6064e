# Bucket, image repository, identities, alarm.

mock_provider "aws" {
  source = "./tests/mocks"
}

run "bucket" {
  module {
    source = "./modules/storage"
  }
  variables {
    name = "bench"
  }
  assert {
    condition = (
      aws_s3_bucket_public_access_block.this.block_public_acls
      && aws_s3_bucket_public_access_block.this.block_public_policy
      && aws_s3_bucket_public_access_block.this.ignore_public_acls
      && aws_s3_bucket_public_access_block.this.restrict_public_buckets
    )
    error_message = "the bucket is never public"
  }
  assert {
    condition     = jsondecode(aws_s3_bucket_policy.this.policy).Statement[0].Condition.Bool["aws:SecureTransport"] == "false"
    error_message = "nothing goes to the bucket unencrypted"
  }
  assert {
    condition     = aws_s3_bucket_versioning.this.versioning_configuration[0].status == "Enabled"
    error_message = "what is overwritten can be had back"
  }
}

run "repository" {
  command = plan
  module {
    source = "./modules/registry"
  }
  variables {
    name = "bench"
  }
  assert {
    condition     = aws_ecr_repository.this.image_tag_mutability == "IMMUTABLE" && aws_ecr_repository.this.image_scanning_configuration[0].scan_on_push
    error_message = "a tag is never given twice, and images are scanned"
  }
}

run "identities_without_a_bucket" {
  command = plan
  module {
    source = "./modules/identity"
  }
  variables {
    cluster_name = "bench"
    bucket       = null
  }
  assert {
    condition = jsondecode(aws_iam_role_policy.worker_prices.policy).Statement[*].Action == [[
      "pricing:GetProducts", "ec2:DescribeSpotPriceHistory", "ec2:DescribeInstanceTypes",
      "savingsplans:DescribeSavingsPlansOfferingRates",
    ]]
    error_message = "workers read prices and may do nothing else"
  }
  assert {
    condition     = length(aws_iam_role.engine) == 0
    error_message = "engines have no role without a bucket"
  }
}

run "identities_with_a_bucket" {
  command = plan
  module {
    source = "./modules/identity"
  }
  variables {
    cluster_name = "bench"
    bucket       = { arn = "arn:aws:s3:::bench" }
  }
  assert {
    condition     = jsondecode(aws_iam_role_policy.engine_weights[0].policy).Statement[0] == { Effect = "Allow", Action = "s3:GetObject", Resource = "arn:aws:s3:::bench/weights/*" }
    error_message = "engines read weights and write nothing"
  }
}

run "alarm" {
  command = plan
  module {
    source = "./modules/budget"
  }
  variables {
    name        = "bench"
    monthly_usd = 500
    emails      = ["ops@example.com"]
  }
  assert {
    condition     = toset(aws_budgets_budget.this.notification[*].threshold) == toset([50, 80, 100]) && length(aws_budgets_budget.this.notification) == 4
    error_message = "mails at half, at four fifths, at all of it, and when all of it is foreseen"
  }
  assert {
    condition     = one(aws_budgets_budget.this.cost_filter).values == tolist(["user:project$bench"])
    error_message = "what carries our tag is counted, and not the whole account"
  }
}
