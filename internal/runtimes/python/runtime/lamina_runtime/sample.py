"""The handler that a process which boots ahead runs once, while it waits."""


def handler(event, context):
    """Answer as many functions do."""
    return {"statusCode": 200, "body": event, "id": context.aws_request_id, "left": context.get_remaining_time_in_millis()}
