# Lambda itself, with the function's role, creates the network interfaces through which a function reaches the
# database. AWS allows DescribeNetworkInterfaces and DescribeSubnets only on all resources, and requires
# DeleteNetworkInterface on all of an account's. So the function's own code is denied them all.

data "aws_caller_identity" "current" {}

data "aws_region" "current" {}

data "aws_iam_policy_document" "network" {
  for_each = var.network == null ? {} : local.functions

  statement {
    sid       = "LambdaLooksForInterfaces"
    actions   = ["ec2:DescribeNetworkInterfaces", "ec2:DescribeSubnets"]
    resources = ["*"]
  }

  statement {
    sid = "LambdaMakesInterfaces"
    actions = [
      "ec2:AssignPrivateIpAddresses",
      "ec2:CreateNetworkInterface",
      "ec2:DeleteNetworkInterface",
      "ec2:UnassignPrivateIpAddresses",
    ]
    resources = ["arn:aws:ec2:${data.aws_region.current.region}:${data.aws_caller_identity.current.account_id}:*/*"]
  }

  statement {
    sid       = "ItsCodeDoesNot"
    effect    = "Deny"
    actions   = ["ec2:*"]
    resources = ["*"]

    condition {
      test     = "ArnEquals"
      variable = "lambda:SourceFunctionArn"
      values   = ["arn:aws:lambda:${data.aws_region.current.region}:${data.aws_caller_identity.current.account_id}:function:${var.name}-${each.key}"]
    }
  }
}

resource "aws_iam_role_policy" "network" {
  for_each = var.network == null ? {} : local.functions

  name   = "network"
  role   = aws_iam_role.this[each.key].id
  policy = data.aws_iam_policy_document.network[each.key].json
}
