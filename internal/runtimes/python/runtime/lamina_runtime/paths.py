"""sys.path as functions know it. The functions of this module, but add_pth, only compute."""

RUNTIME = "/var/runtime"
LANG = "/var/lang"


def layers(minor):
    """The folders that layers fill, first the one that is searched first."""
    return ["/opt/python/lib/python3.%d/site-packages" % minor, "/opt/python"]


def site_packages(minor):
    return LANG + "/lib/python3.%d/site-packages" % minor


def search(found, root, minor, own_path):
    """Give sys.path: found is the interpreter's own, root the function's folder; own_path says that the user has set
    PYTHONPATH, and then layers are only searched when he lists them."""
    own = [as_aws(p) for p in found]
    front = [root]
    if not own_path:
        front += layers(minor)
        if minor >= 11:
            front.append(site_packages(minor))
    return front + [p for i, p in enumerate(own) if p not in own[:i]]


def as_aws(path):
    """Some systems call the library folder lib64, and Debian says dist-packages; below /var/lang these are links."""
    if path.startswith(LANG + "/lib64/"):
        path = LANG + "/lib" + path[len(LANG) + 6 :]
    if path.startswith(LANG) and path.endswith("/dist-packages"):
        path = path[: -len("dist-packages")] + "site-packages"
    return path


def with_pth(root, minor, own_path):
    """The folders whose .pth files are followed."""
    return [root] if own_path else [root] + layers(minor)


def add_pth(folder):
    """Follow the .pth files of a folder that is on sys.path already. (site reads the folder, and nothing else comes of it
    when there are none.)"""
    import os

    try:
        names = os.listdir(folder)
    except OSError:
        return
    if any(name.endswith(".pth") for name in names):
        import site

        site.addsitedir(folder)
