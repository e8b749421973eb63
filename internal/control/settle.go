package control

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"github.com/laminadev/lamina/internal/catalog"
	"github.com/laminadev/lamina/internal/lambda"
)

// settler brings functions out of Pending and InProgress, several at once.
type settler struct {
	catalog catalog.Store
	trees   Trees
	log     *slog.Logger
	wake    chan struct{} // holds something when the queue has grown

	// lifetime makes start and stop wait for each other, and guards cancel.
	lifetime sync.Mutex
	cancel   context.CancelFunc // nil when stopped
	work     sync.WaitGroup

	others time.Duration // how often to look for what another server has left; 0: there is none
	follow time.Duration // that other servers get to see an update before it counts as done

	// mu guards what follows.
	mu    sync.Mutex
	queue []unsettled         // the revisions that nobody settles yet
	mine  map[revisionKey]int // revisions that are in the queue or being settled, and how often
}

// revisionKey names a revision.
type revisionKey struct {
	functionID string
	number     int64
}

// unsettled is a revision to be settled.
type unsettled struct {
	lambda.Revision
	failed int       // how often this machine lacked what it takes
	since  time.Time // by which others can begin to see it; of the monotonic clock
}

func (u unsettled) key() revisionKey { return revisionKey{u.FunctionID, u.Number} }

const (
	// settling is how many functions are settled at once: they wait for the disk more than for the processors.
	settling = 16
	// settleRetry is the pause before the catalog is asked again when it could not take the outcome.
	settleRetry = time.Second
	// The pause before a revision is tried again when the machine lacked something, such as room on its disk, doubles from the
	// first to the last of these.
	firstAgain = time.Second / 4
	lastAgain  = 30 * time.Second
)

func newSettler(c catalog.Store, t Trees, log *slog.Logger) *settler {
	return &settler{catalog: c, trees: t, log: log, wake: make(chan struct{}, 1), mine: map[revisionKey]int{}}
}

func (s *settler) start(ctx context.Context) error {
	s.lifetime.Lock()
	defer s.lifetime.Unlock()
	if s.cancel != nil {
		return errors.New("cannot start control: it runs already")
	}
	// What was queued until now is unsettled in the catalog too; what is queued from now on may come twice, which does no harm.
	s.mu.Lock()
	s.queue, s.mine = nil, map[revisionKey]int{}
	s.mu.Unlock()
	list, err := s.catalog.Unsettled(ctx)
	if err != nil {
		return err
	}
	for _, f := range list {
		s.add(f)
	}
	ctx, s.cancel = context.WithCancel(ctx)
	for range settling {
		s.work.Go(func() { s.run(ctx) })
	}
	if s.others > 0 {
		s.work.Go(func() { s.takeOver(ctx) })
	}
	return nil
}

func (s *settler) stop() {
	s.lifetime.Lock()
	defer s.lifetime.Unlock()
	if s.cancel == nil {
		return
	}
	s.cancel()
	s.work.Wait()
	s.cancel = nil
}

// add queues a function whose change was recorded.
func (s *settler) add(f catalog.Function) { s.push(unsettled{Revision: f.Latest, since: time.Now()}) }

func (s *settler) push(u unsettled) {
	s.mu.Lock()
	s.queue = append(s.queue, u)
	s.mine[u.key()]++
	s.mu.Unlock()
	s.signal()
}

func (s *settler) signal() {
	select {
	case s.wake <- struct{}{}:
	default: // somebody is being woken already
	}
}

// next takes a revision from the queue and wakes another worker when there are more.
func (s *settler) next() (r unsettled, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.queue) == 0 {
		return r, false
	}
	r, s.queue = s.queue[0], s.queue[1:]
	if len(s.queue) > 0 {
		s.signal()
	}
	return r, true
}

func (s *settler) run(ctx context.Context) {
	for ctx.Err() == nil {
		r, ok := s.next()
		if ok {
			s.settle(ctx, r)
			s.done(r)
			continue
		}
		select {
		case <-s.wake:
		case <-ctx.Done():
		}
	}
}

// settle makes a revision's trees mountable and records the outcome. When ctx ends, the function stays as it is, and the next
// start finds it.
func (s *settler) settle(ctx context.Context, u unsettled) {
	r := u.Revision
	failure := s.makeMountable(ctx, r)
	if ctx.Err() != nil {
		return
	}
	if failure != nil && lambda.FaultText(failure) != "" {
		s.again(ctx, u, failure)
		return
	}
	if s.left(u) <= 0 {
		s.outcome(ctx, r, failure)
		return
	}
	s.keep(u)
	s.work.Go(func() { // others are settled meanwhile
		if s.followed(ctx, u) {
			s.outcome(ctx, r, failure)
		}
		s.done(u)
	})
}

// outcome records how the settling of a revision has ended, as often as it takes.
func (s *settler) outcome(ctx context.Context, r lambda.Revision, failure error) {
	if failure != nil {
		s.log.ErrorContext(ctx, "cannot make a function ready", "function", r.Key.ARN(), "revision", r.Number, "error", failure)
	}
	for {
		err := s.record(ctx, r, failure)
		if err == nil || ctx.Err() != nil {
			return
		}
		s.log.ErrorContext(ctx, "cannot record that a function is settled", "function", r.Key.ARN(), "error", err)
		select {
		case <-time.After(settleRetry):
		case <-ctx.Done():
		}
	}
}

// again puts a revision back into the queue after a pause: what was answered is not given up because the disk is full.
func (s *settler) again(ctx context.Context, u unsettled, failure error) {
	if u.failed == 0 {
		s.log.ErrorContext(ctx, "cannot make a function ready yet", "function", u.Key.ARN(), "revision", u.Number, "error", failure)
	}
	pause := min(firstAgain<<min(u.failed, 10), lastAgain)
	u.failed++
	s.keep(u)
	s.work.Go(func() {
		t := time.NewTimer(pause)
		defer t.Stop()
		select {
		case <-t.C:
			s.push(u)
			s.done(u)
		case <-ctx.Done():
		}
	})
}

func (s *settler) makeMountable(ctx context.Context, r lambda.Revision) error {
	if err := s.makeTree(ctx, r.Code); err != nil {
		return err
	}
	for _, l := range r.Layers {
		if err := s.makeTree(ctx, l.Content); err != nil {
			return err
		}
	}
	return nil
}

func (s *settler) makeTree(ctx context.Context, c lambda.Content) error {
	lower, err := s.trees.Lower(ctx, c)
	if err != nil {
		return err
	}
	lower.Release()
	return nil
}

// errSettled ends a transaction that has nothing to do.
var errSettled = errors.New("settled already")

// record writes the outcome, unless the revision is not the newest any more, or another server was faster.
func (s *settler) record(ctx context.Context, r lambda.Revision, failure error) error {
	_, err := s.catalog.UpdateFunction(ctx, r.Key, 0, func(f *catalog.Function) error {
		waiting := f.State == lambda.StatePending || f.UpdateStatus == lambda.UpdateInProgress
		if f.ID != r.FunctionID || f.Latest.Number != r.Number || !waiting {
			return errSettled
		}
		conclude(f, failure)
		return nil
	})
	if errors.Is(err, errSettled) || lambda.IsKind(err, lambda.NotFound) { // or deleted
		return nil
	}
	return err
}

// conclude brings a function to the end of its change. A success brings even one that Failed before to Active.
func conclude(f *catalog.Function, failure error) {
	switch {
	case failure == nil:
		f.State, f.StateReason = lambda.StateActive, catalog.Reason{}
		f.UpdateStatus, f.UpdateReason = lambda.UpdateSuccessful, catalog.Reason{}
	case f.State == lambda.StatePending:
		f.State, f.StateReason = lambda.StateFailed, failureReason(failure)
	default:
		f.UpdateStatus, f.UpdateReason = lambda.UpdateFailed, failureReason(failure)
	}
}

func failureReason(failure error) catalog.Reason {
	if lambda.IsKind(failure, lambda.BadZip) {
		return catalog.Reason{Text: failure.Error(), Code: "InvalidZipFileException"}
	}
	return catalog.Reason{Text: "The function's code and layers cannot be unpacked: " + failure.Error(), Code: "InternalError"}
}
