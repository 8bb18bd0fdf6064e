# AccelBench in one region of your account: network, cluster, Karpenter's identity, database, image repository, alarm.
# Kubernetes objects are Helm's: nothing here talks to the cluster's API.

provider "aws" {
  region = var.region
  default_tags {
    tags = local.tags
  }
}

locals {
  tags = merge(var.tags, { project = var.name })

  make_network   = var.existing_network == null && var.existing_cluster == null
  make_cluster   = var.existing_cluster == null
  make_karpenter = try(var.existing_cluster.node_role_name, null) == null
  make_database  = var.existing_database == null

  cluster_name = local.make_cluster ? module.cluster[0].name : var.existing_cluster.name
  # A given network wins, then the one that is made, then the given cluster's own.
  vpc_id = coalesce(
    try(var.existing_network.vpc_id, null),
    try(module.network[0].vpc_id, null),
    try(data.aws_eks_cluster.existing[0].vpc_config[0].vpc_id, null),
  )
  private_subnet_ids = coalescelist(
    try(var.existing_network.private_subnet_ids, []),
    try(module.network[0].private_subnet_ids, []),
    try(tolist(data.aws_eks_cluster.existing[0].vpc_config[0].subnet_ids), []),
  )
  database_subnet_ids = local.make_network ? module.network[0].database_subnet_ids : local.private_subnet_ids
  cluster_security_group_id = (
    local.make_cluster
    ? module.cluster[0].security_group_id
    : data.aws_eks_cluster.existing[0].vpc_config[0].cluster_security_group_id
  )
  node_role_name = local.make_karpenter ? module.karpenter[0].node_role_name : var.existing_cluster.node_role_name
  database_cidrs = local.make_database ? module.database[0].cidrs : var.existing_database.cidrs
}

data "aws_eks_cluster" "existing" {
  count = local.make_cluster ? 0 : 1
  name  = var.existing_cluster.name
}

module "network" {
  count                = local.make_network ? 1 : 0
  source               = "./modules/network"
  name                 = var.name
  cidr                 = var.vpc_cidr
  zones                = var.zones
  nat_gateway_per_zone = var.nat_gateway_per_zone
}

module "cluster" {
  count              = local.make_cluster ? 1 : 0
  source             = "./modules/cluster"
  name               = var.name
  kubernetes_version = var.kubernetes_version
  subnet_ids         = local.private_subnet_ids
  api_access_cidrs   = var.api_access_cidrs
  administrators     = var.administrators
  system_nodes       = var.system_nodes
}

module "karpenter" {
  count        = local.make_karpenter ? 1 : 0
  source       = "./modules/karpenter"
  cluster_name = local.cluster_name
}

module "identity" {
  source       = "./modules/identity"
  cluster_name = local.cluster_name
  bucket       = var.create_bucket ? { arn = module.storage[0].bucket_arn } : null
}

module "database" {
  count                    = local.make_database ? 1 : 0
  source                   = "./modules/database"
  name                     = var.name
  vpc_id                   = local.vpc_id
  subnet_ids               = local.database_subnet_ids
  client_security_group_id = local.cluster_security_group_id
  settings                 = var.database
}

module "storage" {
  count  = var.create_bucket ? 1 : 0
  source = "./modules/storage"
  name   = var.name
}

module "registry" {
  source = "./modules/registry"
  name   = var.name
}

module "budget" {
  count       = var.budget == null ? 0 : 1
  source      = "./modules/budget"
  name        = var.name
  monthly_usd = var.budget.monthly_usd
  emails      = var.budget.emails
}
