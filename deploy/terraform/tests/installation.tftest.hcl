# The whole, from nothing and into what is there; and what is refused.

mock_provider "aws" {
  source = "./tests/mocks"
}

variables {
  region = "us-east-1"
  budget = { monthly_usd = 500, emails = ["ops@example.com"] }
}

run "from_nothing" {
  assert {
    condition     = length(module.network) == 1 && length(module.cluster) == 1 && length(module.karpenter) == 1 && length(module.database) == 1 && length(module.budget) == 1
    error_message = "everything is made"
  }
  assert {
    condition     = yamldecode(output.helm_values).networkPolicies.databaseCidrs[0] == "10.42.8.0/24" && yamldecode(output.nodes_values).cluster.name == "accelbench"
    error_message = "Helm is told where things are"
  }
  assert {
    condition     = yamldecode(output.nodes_values).cluster.tags.project == "accelbench"
    error_message = "nodes carry the tag by which the alarm counts"
  }
  assert {
    condition     = length(module.storage) == 0
    error_message = "nothing is made that nothing uses"
  }
}

run "into_an_existing_network" {
  command = plan
  variables {
    existing_network = { vpc_id = "vpc-theirs", private_subnet_ids = ["subnet-1", "subnet-2"] }
    create_bucket    = true
  }
  assert {
    condition     = length(module.network) == 0 && length(module.cluster) == 1 && length(module.database) == 1 && length(module.storage) == 1
    error_message = "all but the network is made"
  }
}

run "into_an_existing_cluster_with_karpenter" {
  command = plan
  variables {
    existing_cluster = { name = "theirs", node_role_name = "their-node-role" }
  }
  assert {
    condition     = length(module.network) == 0 && length(module.cluster) == 0 && length(module.karpenter) == 0 && length(module.database) == 1
    error_message = "their network, cluster and Karpenter are used as they are"
  }
  assert {
    condition     = yamldecode(output.nodes_values).cluster == { name = "theirs", nodeRole = "their-node-role", tags = { project = "accelbench" } } && output.karpenter_values == ""
    error_message = "node pools are for their cluster"
  }
}

run "into_an_existing_cluster_without_karpenter" {
  command = plan
  variables {
    existing_cluster = { name = "theirs" }
  }
  assert {
    condition     = length(module.cluster) == 0 && length(module.karpenter) == 1
    error_message = "Karpenter's identity is made for their cluster"
  }
}

run "beside_an_existing_database" {
  variables {
    existing_database = { cidrs = ["10.9.0.0/24"] }
    budget            = null
  }
  assert {
    condition     = length(module.database) == 0 && output.database == null && yamldecode(output.helm_values).networkPolicies.databaseCidrs == ["10.9.0.0/24"]
    error_message = "their database is used as it is"
  }
}

run "too_few_backups_are_refused" {
  command = plan
  variables {
    database = { backup_retention_days = 3 }
  }
  expect_failures = [var.database]
}

run "an_open_api_is_refused" {
  command = plan
  variables {
    api_access_cidrs = ["0.0.0.0/0"]
  }
  expect_failures = [var.api_access_cidrs]
}

run "a_budget_that_nobody_hears_of_is_refused" {
  command = plan
  variables {
    budget = { monthly_usd = 500, emails = [] }
  }
  expect_failures = [var.budget]
}

run "an_unknown_kubernetes_is_refused" {
  command = plan
  variables {
    kubernetes_version = "1.30"
  }
  expect_failures = [var.kubernetes_version]
}

run "a_single_zone_is_refused" {
  command = plan
  variables {
    zones = ["us-east-1a"]
  }
  expect_failures = [var.zones]
}
