# The allowed connections. A group lists only the targets of its members; the rules that admit them are beside the
# server: here for the endpoints, in the module `database` for the proxy. No group admits traffic from outside.

resource "aws_security_group" "functions" {
  #checkov:skip=CKV2_AWS_5:the module `functions` uses it
  name        = "${var.name}-functions"
  description = "The functions of Easel: nothing calls them through the network."
  vpc_id      = aws_vpc.this.id
}

resource "aws_security_group" "poller" {
  #checkov:skip=CKV2_AWS_5:the module `poller` uses it
  name        = "${var.name}-poller"
  description = "The poller of Easel: it calls, nothing calls it."
  vpc_id      = aws_vpc.this.id
}

resource "aws_security_group" "endpoints" {
  name        = "${var.name}-endpoints"
  description = "The endpoint of SQS inside the network."
  vpc_id      = aws_vpc.this.id
}

resource "aws_vpc_security_group_ingress_rule" "endpoints" {
  for_each = { functions = aws_security_group.functions.id, poller = aws_security_group.poller.id }

  security_group_id            = aws_security_group.endpoints.id
  description                  = "HTTPS from the ${each.key}."
  referenced_security_group_id = each.value
  ip_protocol                  = "tcp"
  from_port                    = 443
  to_port                      = 443
}

resource "aws_vpc_security_group_egress_rule" "functions_to_endpoints" {
  security_group_id            = aws_security_group.functions.id
  description                  = "Wake-ups."
  referenced_security_group_id = aws_security_group.endpoints.id
  ip_protocol                  = "tcp"
  from_port                    = 443
  to_port                      = 443
}

resource "aws_vpc_security_group_egress_rule" "functions_to_s3" {
  security_group_id = aws_security_group.functions.id
  description       = "Whether a start picture has arrived."
  prefix_list_id    = aws_vpc_endpoint.s3.prefix_list_id
  ip_protocol       = "tcp"
  from_port         = 443
  to_port           = 443
}

resource "aws_security_group" "sign_in" {
  #checkov:skip=CKV2_AWS_5:the module `functions` uses it
  count = var.sign_in ? 1 : 0

  name        = "${var.name}-sign-in"
  description = "The function that calls the OpenID Connect provider."
  vpc_id      = aws_vpc.this.id
}

resource "aws_vpc_security_group_egress_rule" "sign_in_out" {
  count = var.sign_in ? 1 : 0

  security_group_id = aws_security_group.sign_in[0].id
  description       = "The OpenID Connect provider, and Secrets Manager."
  cidr_ipv4         = "0.0.0.0/0"
  ip_protocol       = "tcp"
  from_port         = 443
  to_port           = 443
}

resource "aws_vpc_security_group_egress_rule" "poller_out" {
  for_each = toset([for port in var.generator_ports : tostring(port)])

  security_group_id = aws_security_group.poller.id
  description       = "Generators, and on 443 also what AWS itself answers."
  cidr_ipv4         = "0.0.0.0/0"
  ip_protocol       = "tcp"
  from_port         = tonumber(each.value)
  to_port           = tonumber(each.value)
}

# Free of charge, and it keeps the pictures off the internet.
resource "aws_vpc_endpoint" "s3" {
  vpc_id            = aws_vpc.this.id
  service_name      = "com.amazonaws.${data.aws_region.current.region}.s3"
  vpc_endpoint_type = "Gateway"
  route_table_ids   = [aws_route_table.private.id, aws_route_table.public.id]
  tags              = { Name = "${var.name}-s3" }
}

resource "aws_vpc_endpoint" "sqs" {
  vpc_id              = aws_vpc.this.id
  service_name        = "com.amazonaws.${data.aws_region.current.region}.sqs"
  vpc_endpoint_type   = "Interface"
  private_dns_enabled = true
  subnet_ids          = aws_subnet.private[*].id
  security_group_ids  = [aws_security_group.endpoints.id]
  tags                = { Name = "${var.name}-sqs" }
}
