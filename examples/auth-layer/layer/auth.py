"""Checks who calls: shared by every function that has this layer."""

import functools
import os

import jwt


class Unauthorized(Exception):
    """The call carries no token, or one that does not hold."""


def claims(event):
    """The verified claims of the event's bearer token."""
    scheme, _, token = event.get("headers", {}).get("authorization", "").partition(" ")
    if scheme.lower() != "bearer":
        raise Unauthorized("no bearer token")
    try:
        return jwt.decode(token, os.environ["JWT_SECRET"], algorithms=["HS256"], options={"require": ["exp", "sub"]})
    except jwt.InvalidTokenError as e:
        raise Unauthorized(str(e)) from None


def authenticated(handler):
    """Calls handler(event, context, claims), or answers 401 without calling it."""

    @functools.wraps(handler)
    def wrapped(event, context):
        try:
            who = claims(event)
        except Unauthorized as e:
            return {"statusCode": 401, "body": str(e)}
        return handler(event, context, who)

    return wrapped
