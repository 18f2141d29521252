# Nothing is reachable from outside, and the poller can always reach AWS.

mock_provider "aws" {
  mock_data "aws_region" {
    defaults = { region = "eu-central-1" }
  }
}

variables {
  name = "easel"
}

run "private_without_a_way_out" {
  command = plan

  assert {
    condition     = length(aws_nat_gateway.this) == 0 && length(aws_route.nat) == 0
    error_message = "There is a NAT gateway although none was configured."
  }

  assert {
    condition     = aws_subnet.private[0].availability_zone == "eu-central-1a" && aws_subnet.private[1].cidr_block == "10.20.16.0/20"
    error_message = "The subnets are not where they should be."
  }
}

run "aws_has_to_be_reached" {
  command = plan

  variables {
    generator_ports = [8080]
  }

  expect_failures = [var.generator_ports]
}

run "too_small" {
  command = plan

  variables {
    cidr = "10.20.0.0/24"
  }

  expect_failures = [var.cidr]
}

run "two_zones" {
  command = plan

  variables {
    zones = ["a", "a"]
  }

  expect_failures = [var.zones]
}
