# Ways in and out.

mock_provider "aws" {
  source = "./tests/mocks"
}

variables {
  name                 = "bench"
  cidr                 = "10.42.0.0/16"
  zones                = []
  nat_gateway_per_zone = false
}

run "three_zones" {
  module {
    source = "./modules/network"
  }

  assert {
    condition     = length(aws_subnet.private) == 3 && length(aws_subnet.database) == 3 && length(aws_nat_gateway.this) == 1
    error_message = "three zones, and one way out that is paid for by the hour"
  }
  assert {
    condition     = length(aws_route_table.database.route) == 0
    error_message = "the database's subnets have no way out"
  }
  assert {
    condition     = alltrue([for subnet in aws_subnet.public : !subnet.map_public_ip_on_launch])
    error_message = "nothing gets an address in the internet by itself"
  }
  assert {
    condition     = alltrue([for subnet in aws_subnet.private : subnet.tags["karpenter.sh/discovery"] == "bench"])
    error_message = "Karpenter finds the private subnets"
  }
  assert {
    condition     = length(aws_default_security_group.closed.ingress) == 0 && length(aws_default_security_group.closed.egress) == 0
    error_message = "the default security group lets nothing through"
  }
  assert {
    condition     = length(distinct(concat(values(local.private_cidrs), values(local.public_cidrs), values(local.database_cidrs)))) == 9
    error_message = "no two subnets have the same addresses"
  }
}

run "a_way_out_in_each_zone" {
  command = plan
  module {
    source = "./modules/network"
  }
  variables {
    zones                = ["us-east-1b", "us-east-1c"]
    nat_gateway_per_zone = true
  }
  assert {
    condition     = length(aws_nat_gateway.this) == 2 && keys(aws_subnet.private) == ["us-east-1b", "us-east-1c"]
    error_message = "each zone that was asked for has its own way out"
  }
}
