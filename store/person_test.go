package store

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"bonafide"
	"bonafide/internal/testdb"
)

// chief may change people and nothing else.
var chief = bonafide.Actor{ID: "key:chief", Name: "chief", Scopes: []bonafide.Scope{bonafide.ScopePeopleWrite}}

func someone(id, login string) bonafide.Person {
	return bonafide.Person{ID: id, Tenant: lender, Login: login, Name: "Some Body", Roles: []bonafide.Role{bonafide.RoleHandler}}
}

func TestPersonIsFoundAgain(t *testing.T) {
	each(t, func(t *testing.T, db *DB, _ *clock) {
		p := someone("P1", "Ana.Müller@Example.org")
		p.Roles = []bonafide.Role{bonafide.RoleReviewer, bonafide.RoleHandler, bonafide.RoleReviewer}
		p.Lang, p.MustChange = "pt-BR", true
		want := p
		want.Login, want.Created = "ana.müller@example.org", start
		want.Roles = []bonafide.Role{bonafide.RoleHandler, bonafide.RoleReviewer}
		update(t, db, func(ctx context.Context, tx *Tx) error {
			return errors.Join(tx.AddPerson(ctx, chief, p, "$argon2id$1"), tx.AddTenant(ctx, "other", "Other", clerk))
		})
		view(t, db, func(ctx context.Context, tx *Tx) error {
			for _, login := range []string{"ana.müller@example.org", " ANA.MU\u0308LLER@example.ORG "} { // decomposed
				got, err := tx.PersonByLogin(ctx, login)
				if d := cmp.Diff(want, got); d != "" || err != nil {
					t.Errorf("%q: %v (-want +got):\n%s", login, err, d)
				}
			}
			if phc, err := tx.Password(ctx, lender, "P1"); phc != "$argon2id$1" || err != nil {
				t.Errorf("password %q, %v", phc, err)
			}
			if _, err := tx.Person(ctx, "other", "P1"); !errors.Is(err, bonafide.NotFound) {
				t.Errorf("another tenant's person: %v", err)
			}
			for _, login := range []string{"", "ana", "x y", strings.Repeat("a", 1000), "a\x00b", "\xff\xff"} {
				if _, err := tx.PersonByLogin(ctx, login); !errors.Is(err, bonafide.NotFound) {
					t.Errorf("%q: %v", login, err)
				}
			}
			return nil
		})
		twin := someone("P2", "ANA.müller@example.org")
		twin.Tenant = "other"
		err := db.Update(t.Context(), func(tx *Tx) error { return tx.AddPerson(t.Context(), chief, twin, "") })
		if !errors.Is(err, bonafide.Conflict) || strings.Contains(err.Error(), "ana") {
			t.Errorf("the same login in another tenant: %v", err)
		}
		for what, bad := range map[string]func(*bonafide.Person){
			"role":    func(p *bonafide.Person) { p.Roles = []bonafide.Role{"emperor"} },
			"no role": func(p *bonafide.Person) { p.Roles = nil },
			"login":   func(p *bonafide.Person) { p.Login = "a b" },
			"name":    func(p *bonafide.Person) { p.Name = " \n" },
			"lang":    func(p *bonafide.Person) { p.Lang = "<script>" },
			"id":      func(p *bonafide.Person) { p.ID = "" },
		} {
			p := someone("P3", "bob")
			bad(&p)
			if err := db.Update(t.Context(), func(tx *Tx) error { return tx.AddPerson(t.Context(), chief, p, "") }); !errors.Is(err, bonafide.Invalid) {
				t.Errorf("%s: %v", what, err)
			}
		}
		if err := db.Update(t.Context(), func(tx *Tx) error { return tx.AddPerson(t.Context(), chief, someone("P4", "carl"), "in the clear") }); err == nil {
			t.Error("a clear password was stored")
		}
	})
}

// Roles escalate nowhere: whoever may not change people changes nobody, and whoever
// may does not change themselves.
func TestPersonEscalatesNowhere(t *testing.T) {
	each(t, func(t *testing.T, db *DB, _ *clock) {
		admin, ana, bob := someone("A", "admin"), someone("P1", "ana"), someone("P2", "bob")
		admin.Roles = []bonafide.Role{bonafide.RoleAdministrator}
		update(t, db, func(ctx context.Context, tx *Tx) error {
			return errors.Join(tx.AddPerson(ctx, chief, admin, ""), tx.AddPerson(ctx, chief, ana, "$argon2id$1"), tx.AddPerson(ctx, chief, bob, "$argon2id$1"))
		})
		every := bonafide.Person{ID: "P9", Roles: []bonafide.Role{bonafide.RoleHandler, bonafide.RoleInvestigator, bonafide.RoleReviewer, bonafide.RoleCompliance, bonafide.RoleRegulator}}.Actor()
		raised := ana
		raised.Roles = []bonafide.Role{bonafide.RoleHandler, bonafide.RoleCompliance}
		off := ana
		off.Disabled = start
		higher := admin
		higher.Roles = bonafide.Roles
		before := dump(t, db)
		for name, fn := range map[string]func(ctx context.Context, tx *Tx) error{
			"own roles":                  func(ctx context.Context, tx *Tx) error { return tx.SavePerson(ctx, ana.Actor(), raised) },
			"own disabling":              func(ctx context.Context, tx *Tx) error { return tx.SavePerson(ctx, ana.Actor(), off) },
			"an administrator's own":     func(ctx context.Context, tx *Tx) error { return tx.SavePerson(ctx, admin.Actor(), higher) },
			"another's roles":            func(ctx context.Context, tx *Tx) error { return tx.SavePerson(ctx, bob.Actor(), raised) },
			"another's roles, all roles": func(ctx context.Context, tx *Tx) error { return tx.SavePerson(ctx, every, raised) },
			"another's name": func(ctx context.Context, tx *Tx) error {
				p := ana
				p.Name = "Bob was here"
				return tx.SavePerson(ctx, bob.Actor(), p)
			},
			"a new person": func(ctx context.Context, tx *Tx) error { return tx.AddPerson(ctx, every, someone("P3", "carl"), "") },
			"another's password": func(ctx context.Context, tx *Tx) error {
				return tx.SetPassword(ctx, lender, every, "P1", "$argon2id$2", false)
			},
			"another's sessions": func(ctx context.Context, tx *Tx) error {
				_, err := tx.EndSessions(ctx, lender, every, "P1")
				return err
			},
			"another's link": func(ctx context.Context, tx *Tx) error { return tx.LinkPerson(ctx, lender, every, "P1", "i", "s") },
			"an own link": func(ctx context.Context, tx *Tx) error {
				return tx.LinkPerson(ctx, lender, ana.Actor(), "P1", "i", "s")
			},
			"a passkey for another": func(ctx context.Context, tx *Tx) error {
				return tx.AddPasskey(ctx, lender, admin.Actor(), Passkey{ID: "K", Person: "P1", Credential: []byte("c")})
			},
		} {
			if err := db.Update(t.Context(), func(tx *Tx) error { return fn(t.Context(), tx) }); !errors.Is(err, bonafide.Denied) {
				t.Errorf("%s: %v, want Denied", name, err)
			}
		}
		if d := cmp.Diff(before, dump(t, db)); d != "" {
			t.Errorf("changed (-want +got):\n%s", d)
		}
		own := ana
		own.Name, own.Lang = "Ana M.", "de"
		update(t, db, func(ctx context.Context, tx *Tx) error {
			return errors.Join(tx.SavePerson(ctx, ana.Actor(), own), tx.SavePerson(ctx, admin.Actor(), func() bonafide.Person { raised.Name = own.Name; return raised }()))
		})
	})
}

func TestLastAdministratorPersonStays(t *testing.T) {
	each(t, func(t *testing.T, db *DB, _ *clock) {
		one, two := someone("A1", "one"), someone("A2", "two")
		one.Roles = []bonafide.Role{bonafide.RoleAdministrator, bonafide.RoleHandler}
		two.Roles = one.Roles
		other := someone("A3", "three")
		other.Roles, other.Tenant = one.Roles, "other"
		update(t, db, func(ctx context.Context, tx *Tx) error {
			return errors.Join(tx.AddTenant(ctx, "other", "", clerk), tx.AddPerson(ctx, chief, one, ""), tx.AddPerson(ctx, chief, two, ""), tx.AddPerson(ctx, chief, other, ""))
		})
		save := func(p bonafide.Person) error {
			return db.Update(t.Context(), func(tx *Tx) error { return tx.SavePerson(t.Context(), bonafide.System("test"), p) })
		}
		off := two
		off.Disabled = start
		if err := save(off); err != nil {
			t.Fatal(err)
		}
		gone, less := one, one
		gone.Disabled, less.Roles = start, []bonafide.Role{bonafide.RoleHandler}
		for _, p := range []bonafide.Person{gone, less} {
			if err := save(p); !errors.Is(err, bonafide.Conflict) {
				t.Errorf("the last administrator: %v", err)
			}
		}
		if err := save(two); err != nil {
			t.Fatal(err)
		}
		// Of two who are taken away at once one stays.
		var wg sync.WaitGroup
		errs := make([]error, 2)
		for i, p := range []bonafide.Person{gone, off} {
			wg.Go(func() { errs[i] = save(p) })
		}
		wg.Wait()
		if (errs[0] == nil) == (errs[1] == nil) {
			t.Errorf("both at once: %v", errs)
		}
		verified(t, db)
	})
}

func TestPersonSessionsEnd(t *testing.T) {
	each(t, func(t *testing.T, db *DB, c *clock) {
		update(t, db, func(ctx context.Context, tx *Tx) error {
			return errors.Join(tx.AddPerson(ctx, chief, someone("P1", "ana"), "$argon2id$1"), tx.AddPerson(ctx, chief, someone("P2", "bob"), ""))
		})
		n := 0
		sign := func(id string) Session {
			n++
			s := Session{Hash: fmt.Append(nil, "h", n), Tenant: lender, Person: id, How: "password", Started: c.now(), Seen: c.now(), Recent: c.now()}
			update(t, db, func(ctx context.Context, tx *Tx) error { return tx.AddSession(ctx, someone(id, "").Actor(), s) })
			return s
		}
		live := func(s Session) bool {
			var err error
			var got Session
			view(t, db, func(ctx context.Context, tx *Tx) error { got, err = tx.SessionByHash(ctx, s.Hash); return nil })
			if err == nil {
				if d := cmp.Diff(s, got); d != "" {
					t.Errorf("session (-want +got):\n%s", d)
				}
			}
			return err == nil
		}
		bobs := sign("P2")
		for name, end := range map[string]func(ctx context.Context, tx *Tx, s Session) error{
			"sign-out": func(ctx context.Context, tx *Tx, s Session) error {
				return tx.EndSession(ctx, someone("P1", "").Actor(), s)
			},
			"password": func(ctx context.Context, tx *Tx, _ Session) error {
				return tx.SetPassword(ctx, lender, chief, "P1", "$argon2id$2", true)
			},
			"all": func(ctx context.Context, tx *Tx, _ Session) error {
				_, err := tx.EndSessions(ctx, lender, chief, "P1")
				return err
			},
			"new roles": func(ctx context.Context, tx *Tx, _ Session) error {
				p := someone("P1", "")
				p.Roles = []bonafide.Role{bonafide.RoleRegulator}
				return tx.SavePerson(ctx, chief, p)
			},
			"renewal": func(ctx context.Context, tx *Tx, s Session) error {
				next := s
				next.Hash = []byte("renewed")
				return tx.RenewSession(ctx, someone("P1", "").Actor(), s.Hash, next)
			},
		} {
			s := sign("P1")
			if !live(s) {
				t.Fatal("no session")
			}
			update(t, db, func(ctx context.Context, tx *Tx) error { return end(ctx, tx, s) })
			if live(s) {
				t.Errorf("%s: the session goes on", name)
			}
		}
		s := sign("P1")
		p := someone("P1", "")
		p.Roles, p.Disabled = []bonafide.Role{bonafide.RoleRegulator}, c.now()
		update(t, db, func(ctx context.Context, tx *Tx) error { return tx.SavePerson(ctx, chief, p) })
		if live(s) {
			t.Error("a disabled person's session goes on")
		}
		err := db.Update(t.Context(), func(tx *Tx) error { return tx.AddSession(t.Context(), p.Actor(), s) })
		if !errors.Is(err, bonafide.Denied) {
			t.Errorf("a disabled person signs in: %v", err)
		}
		if !live(bobs) {
			t.Error("somebody else's session has ended")
		}
		c.add(time.Hour)
		update(t, db, func(ctx context.Context, tx *Tx) error {
			return tx.ExpireSessions(ctx, c.now().Add(-time.Minute), c.now().Add(-9*time.Hour))
		})
		if live(bobs) {
			t.Error("an idle session goes on")
		}
		verified(t, db)
	})
}

// Tries are counted before they are made, so that many at once are no more than as
// many one after the other.
func TestPersonTriesAtOnce(t *testing.T) {
	each(t, func(t *testing.T, db *DB, c *clock) {
		lock := func(n int) time.Duration {
			if n < 5 {
				return 0
			}
			return time.Minute
		}
		var mu sync.Mutex
		allowed := 0
		var wg sync.WaitGroup
		for range 40 {
			wg.Go(func() {
				var try Try
				err := db.Update(t.Context(), func(tx *Tx) (err error) {
					try, err = tx.ReserveTry(t.Context(), "person:P1", c.now(), lock)
					return err
				})
				if err != nil {
					t.Error(err)
				}
				mu.Lock()
				defer mu.Unlock()
				if try.Allowed {
					allowed++
				}
			})
		}
		wg.Wait()
		if allowed != 5 {
			t.Errorf("%d tries were allowed, want 5", allowed)
		}
	})
}

// Logins, names, passwords and tokens stand nowhere in the clear.
func TestPersonIsSealed(t *testing.T) {
	path := testdb.SQLite(t)
	db, _ := openTest(t, path)
	const canary = "CanaryZebra"
	p := someone("P1", strings.ToLower(canary)+"@example.org")
	p.Name = canary + " Smith"
	update(t, db, func(ctx context.Context, tx *Tx) error {
		return errors.Join(
			tx.AddPerson(ctx, chief, p, "$argon2id$"+canary),
			tx.AddPasskey(ctx, lender, p.Actor(), Passkey{ID: "K", Person: "P1", Name: canary, Credential: []byte(canary), Data: []byte(canary)}),
			tx.LinkPerson(ctx, lender, chief, "P1", "https://id.example", canary),
			tx.SavePerson(ctx, chief, func() bonafide.Person { p.Name = canary + " Jones"; return p }()))
	})
	view(t, db, func(ctx context.Context, tx *Tx) error {
		got, err := tx.PersonBySubject(ctx, "https://id.example", canary)
		if err != nil || got.Name != p.Name {
			t.Errorf("by subject: %+v, %v", got, err)
		}
		if _, err := tx.PersonBySubject(ctx, "https://evil.example", canary); !errors.Is(err, bonafide.NotFound) {
			t.Errorf("another issuer's subject: %v", err)
		}
		k, err := tx.PasskeyByCredential(ctx, []byte(canary))
		if err != nil || string(k.Data) != canary || k.Name != canary {
			t.Errorf("passkey: %+v, %v", k, err)
		}
		return nil
	})
	for _, name := range []string{path, path + "-wal"} {
		b, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if bytes.Contains(bytes.ToLower(b), []byte(strings.ToLower(canary))) {
			t.Errorf("%s has something clear", name)
		}
	}
}
