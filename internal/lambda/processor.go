package lambda

// memoryOfProcessor is how many MB buy the time of one processor.
const memoryOfProcessor = 1769

// ProcessorShare is how much of a processor's time functions with so many MB get: 1 is one whole processor.
func ProcessorShare(memoryMB int) float64 { return float64(memoryMB) / memoryOfProcessor }

// VisibleProcessors is how many processors functions with so many MB see.
func VisibleProcessors(memoryMB int) int {
	n := 2
	for _, least := range []int{3009, 5308, 7077, 8846} {
		if memoryMB >= least {
			n++
		}
	}
	return n
}
