# The visibility time-out depends on the longest countdown, the longest task and the lease.

mock_provider "aws" {}

variables {
  name = "easel"
}

run "what_is_set_is_right" {
  command = plan

  assert {
    condition     = aws_sqs_queue.this.visibility_timeout_seconds == 420
    error_message = "The queue does not have the default time-out."
  }
}

run "a_task_and_a_countdown_have_to_fit" {
  command = plan

  variables {
    visibility_timeout_s = 59
  }

  expect_failures = [var.visibility_timeout_s]
}

run "a_longer_task_asks_for_more" {
  command = plan

  variables {
    task_time_limit_s = 600
  }

  expect_failures = [var.visibility_timeout_s]
}

run "a_lease_has_to_have_run_out" {
  command = plan

  variables {
    lease_s = 420
  }

  expect_failures = [var.visibility_timeout_s]
}
