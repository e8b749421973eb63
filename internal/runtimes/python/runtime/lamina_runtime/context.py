"""The handler's second argument. Its classes say that they are of the module where functions find them on AWS, and here too."""

import os
import time

MODULE = "awslambdaric.lambda_context"


class _Shown:
    """Objects that print their attributes, which are their slots but for the context's."""

    __slots__ = ()

    def __repr__(self):
        names = CONTEXT if isinstance(self, LambdaContext) else self.__slots__
        return "%s([%s])" % (type(self).__name__, ",".join("%s=%s" % (n, getattr(self, n)) for n in names))


class CognitoIdentity(_Shown):
    """Who called, when the caller came through Amazon Cognito; else its attributes are None."""

    __slots__ = ("cognito_identity_id", "cognito_identity_pool_id")

    def __init__(self, values):
        self.cognito_identity_id = values.get("cognitoIdentityId")
        self.cognito_identity_pool_id = values.get("cognitoIdentityPoolId")


class Client(_Shown):
    """The mobile application that called."""

    __slots__ = ("installation_id", "app_title", "app_version_name", "app_version_code", "app_package_name")

    def __init__(self, values):
        for name in self.__slots__:
            setattr(self, name, values.get(name))


class ClientContext(_Shown):
    """What the caller said of himself."""

    __slots__ = ("custom", "env", "client")

    def __init__(self, values):
        self.custom = values.get("custom")
        self.env = values.get("env")
        client = values.get("client")
        self.client = None if client is None else Client(client)


CONTEXT = (
    "aws_request_id", "log_group_name", "log_stream_name", "function_name", "memory_limit_in_mb", "function_version",
    "invoked_function_arn", "client_context", "identity", "tenant_id",
)  # fmt: skip


class LambdaContext(_Shown):
    """What a function is told of its invocation, and of itself."""

    def __init__(
        self, invoke_id, client_context, cognito_identity, epoch_deadline_time_in_ms, invoked_function_arn=None, tenant_id=None
    ):
        environ = os.environ
        self.aws_request_id = invoke_id
        self.log_group_name = environ.get("AWS_LAMBDA_LOG_GROUP_NAME")
        self.log_stream_name = environ.get("AWS_LAMBDA_LOG_STREAM_NAME")
        self.function_name = environ.get("AWS_LAMBDA_FUNCTION_NAME")
        self.memory_limit_in_mb = environ.get("AWS_LAMBDA_FUNCTION_MEMORY_SIZE")
        self.function_version = environ.get("AWS_LAMBDA_FUNCTION_VERSION")
        self.invoked_function_arn = invoked_function_arn
        self.tenant_id = tenant_id
        self.client_context = None if client_context is None else ClientContext(client_context)
        self.identity = CognitoIdentity({} if cognito_identity is None else cognito_identity)
        self._epoch_deadline_time_in_ms = epoch_deadline_time_in_ms

    def get_remaining_time_in_millis(self):
        """Give the time until the function is ended, never below zero."""
        return max(self._epoch_deadline_time_in_ms - int(time.time() * 1000), 0)

    def log(self, message):
        """Write to the function's log as it is, without an end of line."""
        from . import lazy

        lazy.say(str(message))


for _class in (CognitoIdentity, Client, ClientContext, LambdaContext):
    _class.__module__ = MODULE


def of_event(headers):
    """Give the context of the event that came with these headers."""
    return LambdaContext(
        headers.get("lambda-runtime-aws-request-id"),
        _parse(headers.get("lambda-runtime-client-context"), "Client Context"),
        _parse(headers.get("lambda-runtime-cognito-identity"), "Cognito Identity"),
        int(headers.get("lambda-runtime-deadline-ms") or 0),
        headers.get("lambda-runtime-invoked-function-arn"),
        headers.get("lambda-runtime-aws-tenant-id"),
    )


def _parse(text, what):
    if not text:
        return None
    import json

    try:
        return json.loads(text)
    except ValueError as error:
        raise ValueError("Unable to parse %s JSON: %s" % (what, error)) from None
