# Least privilege: no wildcard actions, and nothing of other clusters is changed.

mock_provider "aws" {
  source = "./tests/mocks"
}

variables {
  cluster_name = "bench"
}

run "karpenter" {
  module {
    source = "./modules/karpenter"
  }

  assert {
    condition = alltrue([
      for statement in flatten([for policy in aws_iam_policy.controller : jsondecode(policy.policy).Statement]) :
      alltrue([for action in flatten([statement.Action]) : !strcontains(action, "*")])
    ])
    error_message = "no statement allows actions by wildcard"
  }
  assert {
    # Describe, Get and List tell; everything else changes something.
    condition = alltrue([
      for statement in flatten([for policy in aws_iam_policy.controller : jsondecode(policy.policy).Statement]) :
      alltrue([for action in flatten([statement.Action]) : can(regex(":(Describe|Get|List)", action))]) || !contains(flatten([statement.Resource]), "*")
    ])
    error_message = "whatever changes something names its resources"
  }
  assert {
    condition = alltrue([
      for statement in flatten([for policy in aws_iam_policy.controller : jsondecode(policy.policy).Statement]) :
      try(statement.Condition.StringEquals["aws:ResourceTag/kubernetes.io/cluster/bench"], "") == "owned"
      if anytrue([for action in flatten([statement.Action]) : can(regex("Terminate|Delete(Launch|Instance)|RemoveRole", action))])
    ])
    error_message = "only what carries this cluster's tag is ended or deleted"
  }
  assert {
    condition = [
      for statement in flatten([for policy in aws_iam_policy.controller : jsondecode(policy.policy).Statement]) :
      statement.Resource if contains(flatten([statement.Action]), "iam:PassRole")
    ] == ["arn:aws:iam::123456789012:role/mock"]
    error_message = "only the nodes' role is passed on"
  }
  assert {
    condition     = aws_eks_pod_identity_association.controller.service_account == "karpenter" && aws_eks_pod_identity_association.controller.namespace == "kube-system"
    error_message = "only Karpenter's pods get its role"
  }
  assert {
    condition     = aws_sqs_queue.interruptions.sqs_managed_sse_enabled && length(aws_cloudwatch_event_rule.interruptions) == 5
    error_message = "the queue is encrypted and hears of every kind of interruption, capacity blocks included"
  }
}
