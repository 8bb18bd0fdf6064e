# What Karpenter 1.14 asks for, and nothing for other clusters' instances: it makes only what carries this cluster's tags,
# and changes or ends only that. Its documentation lists these permissions.

locals {
  arn     = "arn:${data.aws_partition.current.partition}"
  region  = data.aws_region.current.name
  account = data.aws_caller_identity.current.account_id
  ec2     = "${local.arn}:ec2:${local.region}:*"
  owned   = "kubernetes.io/cluster/${var.cluster_name}"

  # What a launch creates, beside the launch template that describes it.
  launched = [for kind in ["fleet", "instance", "volume", "network-interface", "launch-template", "spot-instances-request"] :
  "${local.ec2}:${kind}/*"]
  requested = {
    StringEquals = { "aws:RequestTag/${local.owned}" = "owned", "aws:RequestTag/eks:eks-cluster-name" = var.cluster_name }
    StringLike   = { "aws:RequestTag/karpenter.sh/nodepool" = "*" }
  }
  ours = {
    StringEquals = { "aws:ResourceTag/${local.owned}" = "owned" }
    StringLike   = { "aws:ResourceTag/karpenter.sh/nodepool" = "*" }
  }
  profile_of_request = {
    "aws:RequestTag/${local.owned}"                = "owned"
    "aws:RequestTag/eks:eks-cluster-name"          = var.cluster_name
    "aws:RequestTag/topology.kubernetes.io/region" = local.region
  }
  profile_of_ours = {
    "aws:ResourceTag/${local.owned}"                = "owned"
    "aws:ResourceTag/topology.kubernetes.io/region" = local.region
  }
  profiles = "${local.arn}:iam::${local.account}:instance-profile/*"

  policies = {
    nodes      = local.nodes_policy
    profiles   = local.profiles_policy
    discovery  = local.discovery_policy
    interrupts = local.interrupts_policy
  }
}

locals {
  nodes_policy = [
    {
      Sid    = "LaunchFromWhatIsThere"
      Effect = "Allow"
      Action = ["ec2:RunInstances", "ec2:CreateFleet"]
      Resource = concat(
        ["${local.arn}:ec2:${local.region}::image/*", "${local.arn}:ec2:${local.region}::snapshot/*"],
        [for kind in ["security-group", "subnet", "capacity-reservation", "placement-group"] : "${local.ec2}:${kind}/*"],
      )
    },
    {
      Sid       = "LaunchFromOwnTemplates"
      Effect    = "Allow"
      Action    = ["ec2:RunInstances", "ec2:CreateFleet"]
      Resource  = "${local.ec2}:launch-template/*"
      Condition = local.ours
    },
    {
      Sid       = "LaunchWithOwnTags"
      Effect    = "Allow"
      Action    = ["ec2:RunInstances", "ec2:CreateFleet", "ec2:CreateLaunchTemplate"]
      Resource  = local.launched
      Condition = local.requested
    },
    {
      Sid      = "TagWhatIsLaunched"
      Effect   = "Allow"
      Action   = "ec2:CreateTags"
      Resource = local.launched
      Condition = merge(local.requested, {
        StringEquals = merge(local.requested.StringEquals, {
          "ec2:CreateAction" = ["RunInstances", "CreateFleet", "CreateLaunchTemplate"]
        })
      })
    },
    {
      Sid      = "NameOwnInstances"
      Effect   = "Allow"
      Action   = "ec2:CreateTags"
      Resource = "${local.ec2}:instance/*"
      Condition = merge(local.ours, {
        StringEqualsIfExists        = { "aws:RequestTag/eks:eks-cluster-name" = var.cluster_name }
        "ForAllValues:StringEquals" = { "aws:TagKeys" = ["eks:eks-cluster-name", "karpenter.sh/nodeclaim", "Name"] }
      })
    },
    {
      Sid       = "EndOwnInstances"
      Effect    = "Allow"
      Action    = ["ec2:TerminateInstances", "ec2:DeleteLaunchTemplate"]
      Resource  = ["${local.ec2}:instance/*", "${local.ec2}:launch-template/*"]
      Condition = local.ours
    },
  ]

  profiles_policy = [
    {
      Sid       = "GiveNodesTheirRole"
      Effect    = "Allow"
      Action    = "iam:PassRole"
      Resource  = aws_iam_role.node.arn
      Condition = { StringEquals = { "iam:PassedToService" = ["ec2.amazonaws.com", "ec2.amazonaws.com.cn"] } }
    },
    {
      Sid      = "MakeOwnProfiles"
      Effect   = "Allow"
      Action   = "iam:CreateInstanceProfile"
      Resource = local.profiles
      Condition = {
        StringEquals = local.profile_of_request
        StringLike   = { "aws:RequestTag/karpenter.k8s.aws/ec2nodeclass" = "*" }
      }
    },
    {
      Sid      = "TagOwnProfiles"
      Effect   = "Allow"
      Action   = "iam:TagInstanceProfile"
      Resource = local.profiles
      Condition = {
        StringEquals = merge(local.profile_of_request, local.profile_of_ours)
        StringLike = {
          "aws:RequestTag/karpenter.k8s.aws/ec2nodeclass"  = "*"
          "aws:ResourceTag/karpenter.k8s.aws/ec2nodeclass" = "*"
        }
      }
    },
    {
      Sid      = "ChangeOwnProfiles"
      Effect   = "Allow"
      Action   = ["iam:AddRoleToInstanceProfile", "iam:RemoveRoleFromInstanceProfile", "iam:DeleteInstanceProfile"]
      Resource = local.profiles
      Condition = {
        StringEquals = local.profile_of_ours
        StringLike   = { "aws:ResourceTag/karpenter.k8s.aws/ec2nodeclass" = "*" }
      }
    },
    { Sid = "ReadProfiles", Effect = "Allow", Action = "iam:GetInstanceProfile", Resource = local.profiles },
    # This action knows no resource.
    { Sid = "ListProfiles", Effect = "Allow", Action = "iam:ListInstanceProfiles", Resource = "*" },
  ]

  discovery_policy = [
    {
      # Questions about EC2 know no resource.
      Sid    = "AskInThisRegion"
      Effect = "Allow"
      Action = [for what in [
        "CapacityReservations", "Images", "Instances", "InstanceStatus", "InstanceTypeOfferings", "InstanceTypes",
        "LaunchTemplates", "PlacementGroups", "SecurityGroups", "SpotPriceHistory", "Subnets",
      ] : "ec2:Describe${what}"]
      Resource  = "*"
      Condition = { StringEquals = { "aws:RequestedRegion" = local.region } }
    },
    {
      Sid      = "FindImages"
      Effect   = "Allow"
      Action   = "ssm:GetParameter"
      Resource = "${local.arn}:ssm:${local.region}::parameter/aws/service/*"
    },
    { Sid = "AskForPrices", Effect = "Allow", Action = "pricing:GetProducts", Resource = "*" },
    {
      Sid      = "FindTheCluster"
      Effect   = "Allow"
      Action   = "eks:DescribeCluster"
      Resource = "${local.arn}:eks:${local.region}:${local.account}:cluster/${var.cluster_name}"
    },
  ]

  interrupts_policy = [{
    Sid      = "ReadInterruptions"
    Effect   = "Allow"
    Action   = ["sqs:DeleteMessage", "sqs:GetQueueUrl", "sqs:ReceiveMessage"]
    Resource = aws_sqs_queue.interruptions.arn
  }]
}
