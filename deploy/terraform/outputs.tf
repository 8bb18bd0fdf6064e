# What comes next: values for Helm, and where things are.

output "cluster_name" {
  description = "For `aws eks update-kubeconfig --name`"
  value       = local.cluster_name
}

output "image_repository" {
  description = "Where our image is pushed to"
  value       = module.registry.repository_url
}

output "database" {
  description = "Addresses of the database, and the Secret of its owner's password, which AWS renews"
  value = local.make_database ? {
    writer           = module.database[0].writer_endpoint
    reader           = module.database[0].reader_endpoint
    owner_secret_arn = module.database[0].owner_secret_arn
    cluster_resource = module.database[0].cluster_resource_id
  } : null
}

output "bucket" {
  description = "The bucket for weights, datasets and artifacts"
  value       = var.create_bucket ? module.storage[0].bucket_name : null
}

output "helm_values" {
  description = "For the chart accelbench: terraform output -raw helm_values > accelbench.yaml"
  value = yamlencode({
    image           = { repository = module.registry.repository_url }
    database        = { secretName = "accelbench-database", migrationsUrlKey = "owner-url", caConfigMapName = "accelbench-database-ca" }
    sealingKey      = { secretName = "accelbench-sealing-key" }
    runs            = { engineServiceAccount = var.create_bucket ? "accelbench-engine" : "" }
    worker          = { priceRegions = [var.region] }
    networkPolicies = { databaseCidrs = local.database_cidrs }
  })
}

output "nodes_values" {
  description = "For the chart accelbench-nodes, which also wants amiAlias"
  value       = yamlencode({ cluster = { name = local.cluster_name, nodeRole = local.node_role_name, tags = local.tags } })
}

output "karpenter_values" {
  description = "For Karpenter's chart, after deploy/addons/karpenter.yaml"
  value = local.make_karpenter ? yamlencode({
    settings = { clusterName = local.cluster_name, interruptionQueue = module.karpenter[0].queue_name }
  }) : ""
}
