package authentik

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"time"
)

// maxWrites is how often [AddMembers] writes, and maxPause its longest wait before it
// does so again.
const (
	maxWrites = 5
	maxPause  = time.Second
)

// AddMembers adds members to a list that an Update replaces as a whole, such as a
// provider to an outpost or a mapping to a provider: read returns the list as it is,
// and write sends the whole new one. Nothing is written if the list has them all.
//
// It reads again after the write and a wait that is twice as long as both took. If
// a member is gone, since somebody else replaced the list meanwhile, it tries again
// after another wait of up to a second, five times in all; then the error matches
// [ErrConflict]. Errors of read and write end it at once.
//
// A race remains, as authentik has no conditional writes: what somebody else adds
// between the reading and the write is lost, unless they look afterwards, as
// AddMembers does; and one who is slower may replace the list after AddMembers has
// looked. For users of a group, [CoreGroupsService.AddUser] has no such race.
//
//	read := func(ctx context.Context) ([]int, error) {
//		outpost, err := client.OutpostsInstances.Retrieve(ctx, pk)
//		if err != nil {
//			return nil, err
//		}
//		return outpost.Providers, nil
//	}
//	write := func(ctx context.Context, providers []int) error {
//		_, err := client.OutpostsInstances.Update(ctx, pk, &authentik.OutpostRequest{Providers: providers})
//		return err
//	}
//	err := authentik.AddMembers(ctx, read, write, provider.PK)
func AddMembers[M comparable](ctx context.Context, read func(context.Context) ([]M, error), write func(context.Context, []M) error, members ...M) error {
	for writes := 0; ; writes++ {
		if writes > 1 {
			if err := sleep(ctx, rand.N(maxPause)); err != nil { //nolint:gosec // it only keeps two programs apart
				return fmt.Errorf("authentik: somebody else replaced the list: %w", err)
			}
		}
		start := time.Now()
		list, err := read(ctx)
		if err != nil {
			return err
		}
		missing := slices.DeleteFunc(slices.Clone(members), func(m M) bool { return slices.Contains(list, m) })
		switch {
		case len(missing) == 0:
			return nil
		case writes == maxWrites:
			return fmt.Errorf("%w: somebody else replaced the list after each of %d writes", ErrConflict, writes)
		}
		if err := write(ctx, slices.Concat(list, missing)); err != nil {
			return err
		}
		if err := sleep(ctx, 2*time.Since(start)); err != nil {
			return fmt.Errorf("authentik: the list was written, and not read again: %w", err)
		}
	}
}

// sleep waits, and returns why the context ended if it does so before.
func sleep(ctx context.Context, wait time.Duration) error {
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-time.After(wait):
		return nil
	}
}
