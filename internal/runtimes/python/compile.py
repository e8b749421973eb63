# Compiles every module below a folder, as if it lay at the target. A file that does not compile is left alone, as pip does.
import os
import py_compile
import sys

root, target = sys.argv[-2:]
for folder, folders, files in os.walk(root):
    folders.sort()
    for name in sorted(files):
        if name.endswith(".py"):
            path = os.path.join(folder, name)
            shown = os.path.join(target, os.path.relpath(path, root))
            try:
                py_compile.compile(path, dfile=shown, doraise=True, invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH)
            except py_compile.PyCompileError:
                pass
