package store

import (
	"context"
	"time"

	"bonafide"
)

// A Session is what a browser is let in by after its person has signed in. Hash is
// the SHA-256 of the token; the token itself is kept nowhere.
type Session struct {
	Hash    []byte
	Tenant  bonafide.Tenant
	Person  string
	How     string    // "password", "passkey", "oidc"
	Started time.Time // of the sign-in
	Seen    time.Time // of the last request, to the minute
	Recent  time.Time // when the person last proved who they are; zero: not known
}

func (s Session) values() []any {
	return []any{string(s.Tenant), some(s.Hash), s.Person, s.How, micros(s.Started), micros(s.Seen), micros(s.Recent)}
}

// signable refuses a session of somebody who is disabled. The head must be locked.
func (tx *Tx) signable(ctx context.Context, s Session) error {
	p, err := tx.Person(ctx, s.Tenant, s.Person)
	if err != nil {
		return err
	}
	if !p.Disabled.IsZero() {
		return &bonafide.Error{Kind: bonafide.Denied, Msg: "this person is disabled"}
	}
	return nil
}

// AddSession adds the session of a person who signed in. Denied if the person is
// disabled.
func (tx *Tx) AddSession(ctx context.Context, actor bonafide.Actor, s Session) error {
	if _, err := tx.lock(ctx, s.Tenant); err != nil {
		return err
	}
	if err := tx.signable(ctx, s); err != nil {
		return err
	}
	if _, err := tx.insert(ctx, "session", "", s.values()); err != nil {
		return err
	}
	return tx.Record(ctx, s.Tenant, actor, "person.signed-in", "person:"+s.Person, map[string]any{"how": s.How})
}

// RenewSession puts a session with a new token in the place of an old one, after the
// person has proved again who they are. NotFound if the old one has ended.
func (tx *Tx) RenewSession(ctx context.Context, actor bonafide.Actor, old []byte, s Session) error {
	if _, err := tx.lock(ctx, s.Tenant); err != nil {
		return err
	}
	if err := tx.signable(ctx, s); err != nil {
		return err
	}
	n, err := tx.exec(ctx, `DELETE FROM session WHERE tenant = $1 AND hash = $2 AND person = $3`, string(s.Tenant), some(old), s.Person)
	if err != nil {
		return err
	}
	if n == 0 {
		return &bonafide.Error{Kind: bonafide.NotFound, Msg: noSession}
	}
	if _, err := tx.insert(ctx, "session", "", s.values()); err != nil {
		return err
	}
	return tx.Record(ctx, s.Tenant, actor, "person.confirmed", "person:"+s.Person, nil)
}

const noSession = "there is no such session"

// SessionByHash returns the session, of whatever tenant, whose token has this
// SHA-256. It may be too old.
func (tx *Tx) SessionByHash(ctx context.Context, hash []byte) (Session, error) {
	s, err := one(ctx, tx, func(r row) (s Session, err error) {
		var started, seen, recent int64
		err = r.Scan(&s.Tenant, &s.Hash, &s.Person, &s.How, &started, &seen, &recent)
		s.Started, s.Seen, s.Recent = instant(started), instant(seen), instant(recent)
		return s, err
	}, `SELECT tenant, hash, person, how, started, seen, recent FROM session WHERE hash = $1`, some(hash))
	return s, otherwise(err, bonafide.NotFound, noSession)
}

// TouchSession notes when a session was used last.
func (tx *Tx) TouchSession(ctx context.Context, t bonafide.Tenant, hash []byte, seen time.Time) error {
	_, err := tx.exec(ctx, `UPDATE session SET seen = $3 WHERE tenant = $1 AND hash = $2 AND seen < $3`, string(t), some(hash), micros(seen))
	return err
}

// EndSession ends one session; NotFound if it has ended.
func (tx *Tx) EndSession(ctx context.Context, actor bonafide.Actor, s Session) error {
	if _, err := tx.lock(ctx, s.Tenant); err != nil {
		return err
	}
	n, err := tx.exec(ctx, `DELETE FROM session WHERE tenant = $1 AND hash = $2 AND person = $3`, string(s.Tenant), some(s.Hash), s.Person)
	if err != nil {
		return err
	}
	if n == 0 {
		return &bonafide.Error{Kind: bonafide.NotFound, Msg: noSession}
	}
	return tx.Record(ctx, s.Tenant, actor, "person.signed-out", "person:"+s.Person, nil)
}

// EndSessions ends all sessions of a person and returns how many there were. It is
// for the person and for who may change people.
func (tx *Tx) EndSessions(ctx context.Context, t bonafide.Tenant, actor bonafide.Actor, person string) (int64, error) {
	if _, err := tx.lock(ctx, t); err != nil {
		return 0, err
	}
	if err := mayPeople(actor); err != nil && !isPerson(actor, person) {
		return 0, err
	}
	n, err := tx.dropSessions(ctx, t, person)
	if err != nil || n == 0 {
		return 0, err
	}
	return n, tx.Record(ctx, t, actor, "person.signed-out", "person:"+person, map[string]any{"sessions": n})
}

// dropSessions removes all sessions of a person; the caller logs it.
func (tx *Tx) dropSessions(ctx context.Context, t bonafide.Tenant, person string) (int64, error) {
	return tx.exec(ctx, `DELETE FROM session WHERE tenant = $1 AND person = $2`, string(t), person)
}

// ExpireSessions removes, of every tenant, sessions that were last used before seen
// or began before started, and tries that are older than started.
func (tx *Tx) ExpireSessions(ctx context.Context, seen, started time.Time) error {
	if _, err := tx.exec(ctx, `DELETE FROM session WHERE seen < $1 OR started < $2`, micros(seen), micros(started)); err != nil {
		return err
	}
	_, err := tx.exec(ctx, `DELETE FROM attempt WHERE at < $1 AND locked < $1`, micros(started))
	return err
}

// A Try is a password that somebody is about to try.
type Try struct {
	Failures int       // tries in a row without success, this one included where it is allowed
	Locked   time.Time // until when no further one is allowed; zero: no such time
	Allowed  bool
}

// ReserveTry counts a try as failed before it is made, so that many at once cannot
// get ahead of the count; [Tx.ForgetTries] takes it back when the password was
// right. While who is locked nothing is counted. The lock after n failures in a row
// is as long as lock says.
func (tx *Tx) ReserveTry(ctx context.Context, who string, now time.Time, lock func(n int) time.Duration) (Try, error) {
	if _, err := tx.exec(ctx, `INSERT INTO attempt (who, failures, locked, at) VALUES ($1, 0, 0, 0) ON CONFLICT DO NOTHING`, who); err != nil {
		return Try{}, err
	}
	t, err := one(ctx, tx, scanTry, `SELECT failures, locked FROM attempt WHERE who = $1`+tx.db.d.lock, who)
	if err != nil {
		return Try{}, err
	}
	if now.Before(t.Locked) {
		return t, nil
	}
	t.Failures, t.Locked, t.Allowed = t.Failures+1, time.Time{}, true
	if d := lock(t.Failures); d > 0 {
		t.Locked = now.Add(d)
	}
	_, err = tx.exec(ctx, `UPDATE attempt SET failures = $2, locked = $3, at = $4 WHERE who = $1`, who, int64(t.Failures), micros(t.Locked), micros(now))
	return t, err
}

func scanTry(r row) (t Try, err error) {
	var locked int64
	err = r.Scan(&t.Failures, &locked)
	t.Locked = instant(locked)
	return t, err
}

// Tries returns what was counted against who, without counting.
func (tx *Tx) Tries(ctx context.Context, who string) (Try, error) {
	all, err := list(ctx, tx, scanTry, `SELECT failures, locked FROM attempt WHERE who = $1`, who)
	if err != nil || len(all) == 0 {
		return Try{}, err
	}
	return all[0], nil
}

// ForgetTries forgets the tries of who.
func (tx *Tx) ForgetTries(ctx context.Context, who string) error {
	_, err := tx.exec(ctx, `DELETE FROM attempt WHERE who = $1`, who)
	return err
}
