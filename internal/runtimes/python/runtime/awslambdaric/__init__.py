"""The names of AWS's runtime client that functions import. Nothing of this is imported before a function asks for it.

lambda_context   the classes of the handler's second argument
bootstrap        what error trackers wrap

On AWS the client was imported before the function's own folders are searched, so a copy that a function brings along is never
used there; lazy finds this one in the same way.
"""

import sys

# Of AWS's client whose behaviour ours follows.
__version__ = "4.0.1"

ABSENT = (
    "lamina has no %s: it runs functions with a client of its own, "
    "and offers awslambdaric's lambda_context and, for error trackers, bootstrap"
)


class _Absent:
    """Asked last of all finders: whose modules are not here either."""

    @staticmethod
    def find_spec(name, path=None, target=None):
        if name.startswith(__name__ + "."):
            raise ModuleNotFoundError(ABSENT % name, name=name)
        return None


sys.meta_path.append(_Absent)
