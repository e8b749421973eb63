from greeting import greet


def handler(event, context):
    return greet(event["name"], "Python")
