from auth import authenticated


@authenticated
def handler(event, context, claims):
    if "profile" not in claims.get("scope", ""):
        return {"statusCode": 403, "body": f"{claims['sub']} may not see profiles"}
    return {"statusCode": 200, "body": f"the profile of {claims['sub']}"}
