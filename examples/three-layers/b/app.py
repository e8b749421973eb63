from dateutil.relativedelta import relativedelta

from model import Order


def handler(event, context):
    order = Order.from_event(event)
    due = order.placed + relativedelta(months=1)
    return f"{order.describe()}, due {due.isoformat()}"
