"""Where error trackers put themselves between the runtime and a handler.

They replace handle_event_request by a function that gives the one that stood here another handler, and wrap methods of
LambdaRuntimeClient, to empty their queues before an answer leaves. Once this module is imported the loop goes this way. Others
are the function's handler themselves, and find that of the user with _get_handler.
"""

from lamina_runtime import loop, payload


_get_handler = loop.find_handler


class LambdaRuntimeClient:
    """Posts what came out of a function. A tracker's functions run before the environment may be frozen."""

    def __init__(self, client):
        self._client = client

    def post_invocation_result(self, invoke_id, result_data, content_type="application/json"):
        if not isinstance(result_data, bytes):
            result_data = result_data.encode("utf-8")
        self._client.post(invoke_id, "response", result_data, content_type)

    def post_invocation_error(self, invoke_id, error_response_data, xray_fault=""):
        self._client.post(invoke_id, "error", error_response_data.encode("utf-8"), "application/json", xray_fault)

    def post_init_error(self, error_response_data, error_type_override=None):
        kind = error_type_override or error_response_data["errorType"]
        self._client.init_error(kind, payload.encode(error_response_data).encode("utf-8"))


def handle_event_request(lambda_runtime_client, request_handler, request, headers, body):
    """Call the handler with an event, and post what comes out."""
    kind, data, content_type, cause = loop.outcome(request_handler, request, headers, body)
    if kind == "error":
        lambda_runtime_client.post_invocation_error(request, data.decode("utf-8"), cause)
    else:
        lambda_runtime_client.post_invocation_result(request, data, content_type)
