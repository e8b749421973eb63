from auth import authenticated


@authenticated
def handler(event, context, claims):
    return {"statusCode": 200, "body": f"the orders of {claims['sub']}"}
