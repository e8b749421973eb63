"""The classes of the handler's second argument, by the name that AWS gives their module."""

from lamina_runtime.context import Client, ClientContext, CognitoIdentity, LambdaContext

__all__ = ["Client", "ClientContext", "CognitoIdentity", "LambdaContext"]
