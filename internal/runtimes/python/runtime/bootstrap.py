"""What the interpreter is started with. Everything is in lamina_runtime, which is loaded compiled."""

from lamina_runtime import loop


def __getattr__(name):
    """Error trackers look for AWS's client by the name that it has here on AWS."""
    if name != "awslambdaricmain":
        raise AttributeError(name)
    import awslambdaric.bootstrap

    return awslambdaric


if __name__ == "__main__":
    loop.main()
