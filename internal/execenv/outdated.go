package execenv

import (
	"context"
	"reflect"
)

// outdated reports whether a new environment would see another runtime than this one, whose runtime has to start again
// anyway: the AWS SDK may have been added since, often because its absence was the reason.
func (e *environment) outdated(ctx context.Context) bool {
	if e.warm || e.runtime == nil {
		return false
	}
	now, err := e.pool.o.Runtimes.Resolve(ctx, e.rev.Config.Runtime)
	if err != nil {
		return false // the old one is better than none
	}
	defer now.Release()
	return !reflect.DeepEqual(now.Mounts, e.runtime.Mounts)
}
