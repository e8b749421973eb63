package lambda_test

import (
	"testing"

	"github.com/laminadev/lamina/internal/lambda"
)

func TestProcessors(t *testing.T) {
	for _, tc := range []struct {
		memory, visible int
		share           float64
	}{
		{128, 2, 128.0 / 1769}, {1769, 2, 1}, {3008, 2, 3008.0 / 1769}, {3009, 3, 3009.0 / 1769}, {5307, 3, 3},
		{5308, 4, 5308.0 / 1769}, {7076, 4, 4}, {7077, 5, 7077.0 / 1769}, {8845, 5, 5}, {8846, 6, 8846.0 / 1769}, {10240, 6, 10240.0 / 1769},
	} {
		if got := lambda.VisibleProcessors(tc.memory); got != tc.visible {
			t.Errorf("%d MB: got %d processors, want %d", tc.memory, got, tc.visible)
		}
		if got := lambda.ProcessorShare(tc.memory); got != tc.share {
			t.Errorf("%d MB: got a share of %v, want %v", tc.memory, got, tc.share)
		}
	}
}
