package execenv

import (
	"context"
	"reflect"
)

// outdated reports whether a new environment is better than this one: because the keys of this one are about to expire, or
// because it would see another runtime, and this one's has to start again anyway: the AWS SDK may have been added since,
// often because its absence was the reason.
func (e *environment) outdated(ctx context.Context) bool {
	if e.keysEnd() {
		return true
	}
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
