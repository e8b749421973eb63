from model import Order


def handler(event, context):
    return Order.from_event(event).describe()
