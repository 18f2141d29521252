output "vpc_id" {
  description = "The network."
  value       = aws_vpc.this.id
}

output "private_subnet_ids" {
  description = "The subnets of functions and database."
  value       = aws_subnet.private[*].id
}

output "poller_subnet_ids" {
  description = "The poller's subnets: public ones, or private ones behind the NAT gateway."
  value       = var.nat_gateway ? aws_subnet.private[*].id : aws_subnet.public[*].id
}

output "functions_group_id" {
  description = "The functions' security group."
  value       = aws_security_group.functions.id
}

output "poller_group_id" {
  description = "The poller's security group."
  value       = aws_security_group.poller.id
}

output "sign_in_group_id" {
  description = "The group of the function that calls the OpenID Connect provider; null without one."
  value       = one(aws_security_group.sign_in[*].id)
}
