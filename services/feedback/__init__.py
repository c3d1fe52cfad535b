"""feedback 回访反馈: owns callbacks, verdicts and messages to citizens; has the last word on a ticket."""
