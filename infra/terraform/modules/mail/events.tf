# What SES reports about the mails: bounces and complaints, through a topic into a queue that the poller reads.

data "aws_caller_identity" "current" {}

resource "aws_sns_topic" "events" {
  #checkov:skip=CKV_AWS_26:SES could not publish with AWS's own key; the queue behind it is encrypted
  name = "${var.name}-mail-events"
}

data "aws_iam_policy_document" "events_topic" {
  statement {
    sid       = "SesReports"
    actions   = ["sns:Publish"]
    resources = [aws_sns_topic.events.arn]

    principals {
      type        = "Service"
      identifiers = ["ses.amazonaws.com"]
    }

    condition {
      test     = "StringEquals"
      variable = "aws:SourceAccount"
      values   = [data.aws_caller_identity.current.account_id]
    }
  }
}

resource "aws_sns_topic_policy" "events" {
  arn    = aws_sns_topic.events.arn
  policy = data.aws_iam_policy_document.events_topic.json
}

resource "aws_sesv2_configuration_set_event_destination" "events" {
  configuration_set_name = aws_sesv2_configuration_set.this.configuration_set_name
  event_destination_name = "poller"

  event_destination {
    enabled              = true
    matching_event_types = ["BOUNCE", "COMPLAINT"]

    sns_destination {
      topic_arn = aws_sns_topic.events.arn
    }
  }

  depends_on = [aws_sns_topic_policy.events]
}

# The messages that the poller could not read, for a person to look at.
resource "aws_sqs_queue" "events_dead" {
  name                      = "${var.name}-mail-events-dead"
  message_retention_seconds = 14 * 24 * 3600
  sqs_managed_sse_enabled   = true
}

# The poller may be down for days. If a message is lost, somebody gets mail that they do not want.
resource "aws_sqs_queue" "events" {
  name                       = "${var.name}-mail-events"
  visibility_timeout_seconds = 120
  message_retention_seconds  = 14 * 24 * 3600
  sqs_managed_sse_enabled    = true

  redrive_policy = jsonencode({
    deadLetterTargetArn = aws_sqs_queue.events_dead.arn
    maxReceiveCount     = var.max_receives
  })
}

resource "aws_sqs_queue_redrive_allow_policy" "events_dead" {
  queue_url = aws_sqs_queue.events_dead.id

  redrive_allow_policy = jsonencode({
    redrivePermission = "byQueue"
    sourceQueueArns   = [aws_sqs_queue.events.arn]
  })
}

data "aws_iam_policy_document" "events_queue" {
  statement {
    sid       = "TheTopicWrites"
    actions   = ["sqs:SendMessage"]
    resources = [aws_sqs_queue.events.arn]

    principals {
      type        = "Service"
      identifiers = ["sns.amazonaws.com"]
    }

    condition {
      test     = "ArnEquals"
      variable = "aws:SourceArn"
      values   = [aws_sns_topic.events.arn]
    }
  }

  dynamic "statement" {
    for_each = var.tls_only ? [aws_sqs_queue.events.arn] : []

    content {
      sid       = "OnlyOverTls"
      effect    = "Deny"
      actions   = ["sqs:*"]
      resources = [statement.value]

      principals {
        type        = "*"
        identifiers = ["*"]
      }

      condition {
        test     = "Bool"
        variable = "aws:SecureTransport"
        values   = ["false"]
      }
    }
  }
}

resource "aws_sqs_queue_policy" "events" {
  queue_url = aws_sqs_queue.events.id
  policy    = data.aws_iam_policy_document.events_queue.json
}

resource "aws_sns_topic_subscription" "events" {
  topic_arn            = aws_sns_topic.events.arn
  protocol             = "sqs"
  endpoint             = aws_sqs_queue.events.arn
  raw_message_delivery = true

  depends_on = [aws_sqs_queue_policy.events]
}
