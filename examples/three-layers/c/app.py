import importlib.util

from utilities import day


def handler(event, context):
    return {"weekday": day(event["placed"]).strftime("%A"), "has_model": importlib.util.find_spec("model") is not None}
