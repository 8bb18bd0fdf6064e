# The control plane and the system nodes.

mock_provider "aws" {
  source = "./tests/mocks"
}

variables {
  name               = "bench"
  kubernetes_version = "1.35"
  subnet_ids         = ["subnet-1", "subnet-2"]
  api_access_cidrs   = []
  administrators     = ["arn:aws:iam::123456789012:role/admin"]
  system_nodes       = { instance_type = "m7i.large", count = 2 }
}

run "private_by_default" {
  command = plan
  module {
    source = "./modules/cluster"
  }

  assert {
    condition     = !aws_eks_cluster.this.vpc_config[0].endpoint_public_access && aws_eks_cluster.this.vpc_config[0].endpoint_private_access
    error_message = "the cluster's API is reached from the network alone"
  }
  assert {
    condition     = aws_launch_template.system.metadata_options[0].http_tokens == "required" && aws_launch_template.system.metadata_options[0].http_put_response_hop_limit == 1
    error_message = "instance credentials need a session (IMDSv2) and are out of pods' reach"
  }
  assert {
    condition     = aws_launch_template.system.block_device_mappings[0].ebs[0].encrypted == "true"
    error_message = "the nodes' disks are encrypted"
  }
  assert {
    condition     = aws_eks_cluster.this.encryption_config[0].resources == toset(["secrets"]) && aws_kms_key.secrets.enable_key_rotation
    error_message = "the cluster's secrets are encrypted with the installation's own key"
  }
  assert {
    condition     = contains(aws_eks_cluster.this.enabled_cluster_log_types, "audit")
    error_message = "who did what in the cluster is kept"
  }
  assert {
    condition     = jsondecode(aws_eks_addon.before_nodes["vpc-cni"].configuration_values).enableNetworkPolicy == "true"
    error_message = "network policies are enforced"
  }
  assert {
    condition     = contains(keys(aws_eks_addon.before_nodes), "eks-pod-identity-agent")
    error_message = "pods get their roles"
  }
  assert {
    condition     = aws_eks_node_group.system.labels["karpenter.sh/controller"] == "true" && aws_eks_node_group.system.scaling_config[0].min_size == 2
    error_message = "Karpenter finds two nodes that it does not manage"
  }
  assert {
    condition     = aws_eks_cluster.this.access_config[0].authentication_mode == "API" && length(aws_eks_access_policy_association.administrator) == 1
    error_message = "access is by entries alone"
  }
}

run "named_ranges_come_in" {
  command = plan
  module {
    source = "./modules/cluster"
  }
  variables {
    api_access_cidrs = ["192.0.2.0/24"]
  }
  assert {
    condition     = aws_eks_cluster.this.vpc_config[0].public_access_cidrs == toset(["192.0.2.0/24"])
    error_message = "the API is open to the named ranges alone"
  }
}
