"""What the interpreter is started with. Everything is in lamina_runtime, which is loaded compiled."""

from lamina_runtime import loop

loop.main()
