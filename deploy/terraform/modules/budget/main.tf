# The net under all others: a mail when the month's bill of what carries our tag is near the amount, or will be. AWS counts
# by tag only after `project` was activated as a cost allocation tag.

variable "name" {
  type = string
}

variable "monthly_usd" {
  type = number
}

variable "emails" {
  type = list(string)
}

resource "aws_budgets_budget" "this" {
  name         = var.name
  budget_type  = "COST"
  time_unit    = "MONTHLY"
  limit_amount = tostring(var.monthly_usd)
  limit_unit   = "USD"

  cost_filter {
    name   = "TagKeyValue"
    values = [format("user:project$%s", var.name)]
  }

  dynamic "notification" {
    for_each = [{ type = "ACTUAL", percent = 50 }, { type = "ACTUAL", percent = 80 }, { type = "ACTUAL", percent = 100 },
    { type = "FORECASTED", percent = 100 }]
    content {
      comparison_operator        = "GREATER_THAN"
      threshold                  = notification.value.percent
      threshold_type             = "PERCENTAGE"
      notification_type          = notification.value.type
      subscriber_email_addresses = var.emails
    }
  }
}
