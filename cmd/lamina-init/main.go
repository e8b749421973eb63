// Command lamina-init is PID 1 of every sandbox. The server starts it; it is of no use by hand.
package main

import "github.com/laminadev/lamina/internal/sandbox/helper"

func main() { helper.Main() }
