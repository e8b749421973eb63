package node

import (
	"fmt"
	"strconv"
	"strings"
)

// Env gives the variables that AWS's bootstrap script exports for a major.
func Env(major int) []string {
	return []string{
		fmt.Sprintf("AWS_EXECUTION_ENV=AWS_Lambda_nodejs%d.x", major),
		fmt.Sprintf("NODE_PATH=/opt/nodejs/node%d/node_modules:/opt/nodejs/node_modules:/var/runtime/node_modules:/var/runtime:/var/task", major),
	}
}

// Command gives the arguments that start node in an environment: the heap is cut to the function's memory, unless its
// NODE_OPTIONS say otherwise. The bootstrap script says the same for wrapper scripts.
func Command(major int, env []string) []string {
	args := []string{"/var/lang/bin/node", "--expose-gc", "--max-http-header-size", "81920"}
	semi, old := heap(major, memory(env))
	options := value(env, "NODE_OPTIONS")
	if !names(options, "max-semi-space-size") {
		args = append(args, "--max-semi-space-size="+strconv.Itoa(semi))
	}
	if !names(options, "max-old-space-size") {
		args = append(args, "--max-old-space-size="+strconv.Itoa(old))
	}
	return append(args, "/var/runtime/index.mjs")
}

// heap divides memory (MB) between new objects, which need two halves, and old ones.
func heap(major, memory int) (semi, old int) {
	part := 10
	if major >= 24 {
		part = 20
	}
	young := memory / part
	return max(young/2, 1), memory - young
}

func memory(env []string) int {
	n, err := strconv.Atoi(value(env, "AWS_LAMBDA_FUNCTION_MEMORY_SIZE"))
	if err != nil || n <= 0 {
		return 128
	}
	return n
}

// names reports whether options has a flag of V8's, which may be written with dashes or underscores.
func names(options, flag string) bool {
	return strings.Contains(strings.ReplaceAll(options, "_", "-"), "--"+flag)
}

func value(env []string, key string) string {
	for _, kv := range env {
		if k, v, ok := strings.Cut(kv, "="); ok && k == key {
			return v
		}
	}
	return ""
}
