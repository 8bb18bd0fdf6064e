# A network of three kinds of subnets: public ones hold the way out and nothing else, private ones the nodes, and the
# database's have no way out at all.

variable "name" {
  type = string
}

variable "cidr" {
  type = string
}

variable "zones" {
  type = list(string)
}

variable "nat_gateway_per_zone" {
  type = bool
}

data "aws_availability_zones" "available" {
  state = "available"
  # Local zones can hold neither a cluster's network interfaces nor Aurora.
  filter {
    name   = "opt-in-status"
    values = ["opt-in-not-required"]
  }
}

data "aws_region" "current" {}

locals {
  zones = length(var.zones) > 0 ? var.zones : slice(
    data.aws_availability_zones.available.names, 0, min(3, length(data.aws_availability_zones.available.names))
  )
  # By zone, the range's place in the network: 8,190 addresses for nodes and pods, 254 for each of the others.
  private_cidrs  = { for index, zone in local.zones : zone => cidrsubnet(var.cidr, 3, index + 1) }
  public_cidrs   = { for index, zone in local.zones : zone => cidrsubnet(var.cidr, 8, index) }
  database_cidrs = { for index, zone in local.zones : zone => cidrsubnet(var.cidr, 8, index + 8) }
  nat_zones      = toset(var.nat_gateway_per_zone ? local.zones : slice(local.zones, 0, 1))
}

resource "aws_vpc" "this" {
  cidr_block           = var.cidr
  enable_dns_support   = true
  enable_dns_hostnames = true
  tags                 = { Name = var.name }
}

# What names no group gets this one: it lets nothing through.
resource "aws_default_security_group" "closed" {
  vpc_id = aws_vpc.this.id
  tags   = { Name = "${var.name}-closed" }
}

resource "aws_subnet" "public" {
  for_each          = local.public_cidrs
  vpc_id            = aws_vpc.this.id
  availability_zone = each.key
  cidr_block        = each.value
  # Only gateways are here, and they bring their own.
  map_public_ip_on_launch = false
  tags                    = { Name = "${var.name}-public-${each.key}" }
}

resource "aws_subnet" "private" {
  for_each          = local.private_cidrs
  vpc_id            = aws_vpc.this.id
  availability_zone = each.key
  cidr_block        = each.value
  tags = {
    Name                              = "${var.name}-private-${each.key}"
    "karpenter.sh/discovery"          = var.name
    "kubernetes.io/role/internal-elb" = "1"
  }
}

resource "aws_subnet" "database" {
  for_each          = local.database_cidrs
  vpc_id            = aws_vpc.this.id
  availability_zone = each.key
  cidr_block        = each.value
  tags              = { Name = "${var.name}-database-${each.key}" }
}

output "vpc_id" {
  value = aws_vpc.this.id
}

output "private_subnet_ids" {
  value = [for zone in local.zones : aws_subnet.private[zone].id]
}

output "database_subnet_ids" {
  value = [for zone in local.zones : aws_subnet.database[zone].id]
}
