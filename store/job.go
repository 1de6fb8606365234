package store

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"time"

	"bonafide"
)

// A Job is a piece of work that survives a restart. Of one tenant, kind and arg at
// most one is ready and at most one is leased.
type Job struct {
	Tenant        bonafide.Tenant
	ID, Kind, Arg string // an empty ID is filled in
	Attempt       int    // 1 the first time it is claimed
	Due           time.Time
	Error         string // why the last attempt failed; nothing personal
}

// The states of a job. One that is done is deleted.
const (
	JobReady  = "ready"
	JobLeased = "leased"
	JobDead   = "dead" // set aside for good
)

// Enqueue adds jobs; where an equal one is still ready, that one stays and keeps
// the earlier due.
func (tx *Tx) Enqueue(ctx context.Context, jobs ...Job) error {
	type key struct {
		t         bonafide.Tenant
		kind, arg string
	}
	at := map[key]int{}
	var args []any
	for _, j := range jobs {
		k := key{j.Tenant, j.Kind, j.Arg}
		if i, ok := at[k]; ok {
			args[i] = min(args[i].(int64), micros(j.Due))
			continue
		}
		if j.ID == "" {
			j.ID = tx.db.NewID()
		}
		args = append(args, j.ID, string(j.Tenant), j.Kind, j.Arg, JobReady, int64(j.Attempt), micros(j.Due), "", int64(0), j.Error)
		at[k] = len(args) - 4
	}
	_, err := tx.insert(ctx, "job", ` ON CONFLICT (tenant, kind, arg) WHERE state = 'ready'
		DO UPDATE SET due = CASE WHEN excluded.due < job.due THEN excluded.due ELSE job.due END`, args)
	return err
}

const jobColumns = `tenant, id, kind, arg, attempt, due, error`

func scanJob(r row) (j Job, err error) {
	var due int64
	err = r.Scan(&j.Tenant, &j.ID, &j.Kind, &j.Arg, &j.Attempt, &due, &j.Error)
	j.Due = instant(due)
	return j, err
}

// Claim leases up to limit jobs of kinds to owner until now+lease: those that are
// due, the oldest first, then those whose owner let the lease run out. It takes no
// job while an equal one is leased.
func (db *DB) Claim(ctx context.Context, owner string, kinds []string, now time.Time, lease time.Duration, limit int) (jobs []Job, err error) {
	// Most times there is nothing to claim: looking needs no lock.
	some := false
	err = db.View(ctx, func(tx *Tx) error {
		found, err := list(ctx, tx, func(r row) (n int64, err error) { err = r.Scan(&n); return n, err },
			`SELECT 1 FROM job WHERE `+tx.db.d.in("kind", 2)+` AND (state = 'ready' AND due <= $1 OR state = 'leased' AND lease <= $1) LIMIT 1`,
			micros(now), tx.db.d.list(kinds))
		some = len(found) > 0
		return err
	})
	if err != nil || !some {
		return nil, err
	}
	err = db.Update(ctx, func(tx *Tx) error {
		jobs = nil
		if limit <= 0 || len(kinds) == 0 {
			return nil
		}
		claim := func(where, order string) error {
			more, err := list(ctx, tx, scanJob, `WITH free AS (SELECT id FROM job WHERE `+where+` AND `+tx.db.d.in("kind", 4)+` ORDER BY `+order+` LIMIT $5`+tx.db.d.skip+`)
				UPDATE job SET state = 'leased', attempt = attempt + 1, owner = $2, lease = $3 WHERE id IN (SELECT id FROM free)
				RETURNING `+jobColumns, micros(now), owner, micros(now.Add(lease)), tx.db.d.list(kinds), limit-len(jobs))
			jobs = append(jobs, more...)
			return err
		}
		if err := claim(`state = 'ready' AND due <= $1 AND NOT EXISTS (SELECT 1 FROM job o
			WHERE o.state = 'leased' AND o.tenant = job.tenant AND o.kind = job.kind AND o.arg = job.arg)`, `due, id`); err != nil || len(jobs) == limit {
			return err
		}
		return claim(`state = 'leased' AND lease <= $1`, `lease, id`)
	})
	if err != nil {
		return nil, err
	}
	slices.SortFunc(jobs, func(a, b Job) int { return cmp.Or(a.Due.Compare(b.Due), cmp.Compare(a.ID, b.ID)) })
	return jobs, nil
}

// Leased fails with Conflict unless the job is still leased to owner: what is written
// after it in the transaction is the work of one.
func (tx *Tx) Leased(ctx context.Context, j Job, owner string) error {
	found, err := list(ctx, tx, func(r row) (n int64, err error) { err = r.Scan(&n); return n, err },
		`SELECT 1 FROM job WHERE id = $1 AND tenant = $3 AND state = 'leased' AND owner = $2`, j.ID, owner, string(j.Tenant))
	if err == nil && len(found) == 0 {
		err = errLease
	}
	return err
}

// Finish ends a job in the transaction of its result; Conflict if the lease was
// lost, and then the result must not be committed.
func (tx *Tx) Finish(ctx context.Context, j Job, owner string) error {
	n, err := tx.exec(ctx, `DELETE FROM job WHERE id = $1 AND state = 'leased' AND owner = $2`, j.ID, owner)
	if err == nil && n == 0 {
		err = tx.refuse(errLease)
	}
	return err
}

var errLease = &bonafide.Error{Kind: bonafide.Conflict, Msg: "the job took longer than its lease and was given to another"}

// Retry gives a job back to be done again at due; Conflict if the lease was lost.
// Where an equal one is ready meanwhile, that one does the work of both.
func (db *DB) Retry(ctx context.Context, j Job, owner string, due time.Time, why string) error {
	return db.giveBack(ctx, func(tx *Tx) error {
		n, err := tx.exec(ctx, `DELETE FROM job WHERE id = $1 AND owner = $2 AND `+leasedTwice, j.ID, owner)
		if err != nil || n > 0 {
			return err
		}
		n, err = tx.exec(ctx, `UPDATE job SET state = 'ready', owner = '', lease = 0, due = $3, error = $4 WHERE id = $1 AND state = 'leased' AND owner = $2`,
			j.ID, owner, micros(due), why)
		if err == nil && n == 0 {
			err = errLease
		}
		return err
	})
}

// leasedTwice is true of a leased job while an equal one is ready.
const leasedTwice = `state = 'leased' AND EXISTS (SELECT 1 FROM job o WHERE o.state = 'ready' AND o.tenant = job.tenant AND o.kind = job.kind AND o.arg = job.arg)`

// giveBack runs fn, and once more where an equal job became ready just then.
func (db *DB) giveBack(ctx context.Context, fn func(*Tx) error) error {
	for try := 1; ; try++ {
		err := db.Update(ctx, fn)
		if !errors.Is(err, bonafide.Conflict) || errors.Is(err, errLease) || try == maxTries {
			return err
		}
	}
}

// Bury sets a job aside for good; Conflict if the lease was lost.
func (db *DB) Bury(ctx context.Context, j Job, owner, why string) error {
	return db.Update(ctx, func(tx *Tx) error {
		n, err := tx.exec(ctx, `UPDATE job SET state = 'dead', owner = '', lease = 0, error = $3 WHERE id = $1 AND state = 'leased' AND owner = $2`, j.ID, owner, why)
		if err == nil && n == 0 {
			err = errLease
		}
		return err
	})
}

// Renew makes the leases of an owner that still works last until a time.
func (db *DB) Renew(ctx context.Context, owner string, until time.Time) error {
	return db.Update(ctx, func(tx *Tx) error {
		_, err := tx.exec(ctx, `UPDATE job SET lease = $2 WHERE state = 'leased' AND owner = $1`, owner, micros(until))
		return err
	})
}

// Release gives back all of an owner's jobs, as they were before it claimed them.
func (db *DB) Release(ctx context.Context, owner string) error {
	return db.giveBack(ctx, func(tx *Tx) error {
		if _, err := tx.exec(ctx, `DELETE FROM job WHERE owner = $1 AND `+leasedTwice, owner); err != nil {
			return err
		}
		_, err := tx.exec(ctx, `UPDATE job SET state = 'ready', owner = '', lease = 0, attempt = attempt - 1 WHERE state = 'leased' AND owner = $1`, owner)
		return err
	})
}

// Pending reports whether a job waits or is under way.
func (tx *Tx) Pending(ctx context.Context, t bonafide.Tenant, kind, arg string) (bool, error) {
	found, err := list(ctx, tx, func(r row) (n int64, err error) { err = r.Scan(&n); return n, err },
		`SELECT 1 FROM job WHERE tenant = $1 AND kind = $2 AND arg = $3 AND state IN ('ready', 'leased') LIMIT 1`, string(t), kind, arg)
	return len(found) > 0, err
}

// Jobs lists jobs of a state, or of every state if it is empty, by due.
func (tx *Tx) Jobs(ctx context.Context, state string, limit int) ([]Job, error) {
	q, args := `SELECT `+jobColumns+` FROM job`, []any{upTo(limit)}
	if state != "" {
		q += ` WHERE state = $2`
		args = append(args, state)
	}
	return list(ctx, tx, scanJob, q+` ORDER BY due, id LIMIT $1`, args...)
}
