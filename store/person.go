package store

import (
	"context"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"bonafide"
)

// Who may change people is decided here, since everything passes here: an actor with
// ScopePeopleWrite, and for a few things the person alone. Nobody changes their own
// roles, and the last administrator of a tenant stays.

// Key derives a key from the root key for one purpose: 32 bytes. Every process on
// one database derives the same.
func (db *DB) Key(purpose string) []byte {
	key, err := hkdf.Key(sha256.New, db.o.RootKey, nil, "bonafide "+purpose, keySize)
	if err != nil {
		panic(err) // the length is one that there is
	}
	return key
}

// digest is a keyed hash of what a person is found by.
func (db *DB) digest(what string, parts ...string) []byte {
	h := hmac.New(sha256.New, db.Key("person "+what))
	h.Write(place(parts...))
	return h.Sum(nil)
}

// The bounds of what is said of a person.
const (
	minLogin, maxLogin = 2, 128
	maxName            = 200
)

// FoldLogin returns a login as it is stored: lower case, NFC. Letters, digits and
// . _ - @ + are allowed.
func FoldLogin(s string) (string, error) {
	wrong := &bonafide.Error{Kind: bonafide.Invalid, Msg: "login: 2 to 128 letters, digits and . _ - @ +"}
	if len(s) > 4*maxLogin {
		return "", wrong
	}
	s = norm.NFC.String(strings.ToLower(norm.NFC.String(strings.TrimSpace(s))))
	if n := utf8.RuneCountInString(s); n < minLogin || n > maxLogin {
		return "", wrong
	}
	for _, r := range s {
		if !unicode.IsLetter(r) && !unicode.IsDigit(r) && !unicode.IsMark(r) && !strings.ContainsRune("._-@+", r) {
			return "", wrong
		}
	}
	return s, nil
}

var langForm = regexp.MustCompile(`^(?:[a-z]{2,3}(?:-[A-Za-z0-9]{2,8}){0,3})?$`)

// checkPerson returns p with its roles in order and its name trimmed.
func checkPerson(p bonafide.Person) (bonafide.Person, error) {
	invalid := func(msg string) (bonafide.Person, error) {
		return p, &bonafide.Error{Kind: bonafide.Invalid, Msg: msg}
	}
	p.Name = norm.NFC.String(strings.TrimSpace(p.Name))
	if n := utf8.RuneCountInString(p.Name); n == 0 || n > maxName || strings.ContainsFunc(p.Name, unicode.IsControl) || !storable(p.Name) {
		return invalid("name: 1 to 200 characters on one line")
	}
	if !langForm.MatchString(p.Lang) {
		return invalid("lang: not a language such as en or pt-BR")
	}
	if len(p.Roles) == 0 {
		return invalid("roles: give at least one, or disable the person")
	}
	for _, r := range p.Roles {
		if !r.Known() {
			return invalid(fmt.Sprintf("roles: there is no role %q", r))
		}
	}
	var roles []bonafide.Role
	for _, r := range bonafide.Roles {
		if p.Is(r) {
			roles = append(roles, r)
		}
	}
	p.Roles = roles
	return p, nil
}

// A personBody is what of a person is sealed.
type personBody struct {
	Login string `json:"login"`
	Name  string `json:"name"`
	Lang  string `json:"lang,omitempty"`
}

func (tx *Tx) sealPerson(p bonafide.Person) ([]byte, error) {
	b, err := json.Marshal(personBody{p.Login, p.Name, p.Lang})
	if err != nil {
		return nil, err
	}
	return tx.db.root.seal(tx.db.random, place("person", string(p.Tenant), p.ID), b)
}

// sealPassword seals what a password was hashed to, so that a copy of the database
// alone is no use for guessing.
func (tx *Tx) sealPassword(t bonafide.Tenant, id, phc string) ([]byte, error) {
	if phc == "" {
		return []byte{}, nil
	}
	if !strings.HasPrefix(phc, "$argon2id$") {
		return nil, errors.New("store: a password must be hashed with argon2id before it comes here")
	}
	return tx.db.root.seal(tx.db.random, place("password", string(t), id), []byte(phc))
}

// mayPeople refuses an actor who may not change people.
func mayPeople(actor bonafide.Actor) error {
	if actor.May(bonafide.ScopePeopleWrite) {
		return nil
	}
	return &bonafide.Error{Kind: bonafide.Denied, Msg: "only an administrator may change people"}
}

func isPerson(actor bonafide.Actor, id string) bool {
	return actor.ID == bonafide.Person{ID: id}.Actor().ID
}

// AddPerson adds a person to p.Tenant, with the PHC string of a password or without
// one. Conflict if the id or the login is in use, in whatever tenant.
func (tx *Tx) AddPerson(ctx context.Context, actor bonafide.Actor, p bonafide.Person, phc string) error {
	if err := mayPeople(actor); err != nil {
		return err
	}
	if !bonafide.ValidID(p.ID) {
		return &bonafide.Error{Kind: bonafide.Invalid, Msg: "a person needs an id"}
	}
	p, err := checkPerson(p)
	if err != nil {
		return err
	}
	if p.Login, err = FoldLogin(p.Login); err != nil {
		return err
	}
	if _, err := tx.lock(ctx, p.Tenant); err != nil {
		return err
	}
	roles, err := json.Marshal(p.Roles)
	if err != nil {
		return err
	}
	body, err := tx.sealPerson(p)
	if err != nil {
		return err
	}
	password, err := tx.sealPassword(p.Tenant, p.ID, phc)
	if err != nil {
		return err
	}
	if p.Created.IsZero() {
		p.Created = tx.db.now()
	}
	if _, err := tx.insert(ctx, "person", "", []any{
		string(p.Tenant), p.ID, tx.db.digest("login", p.Login), []byte(nil), string(roles), micros(p.Created), micros(p.Disabled), p.MustChange, password, body,
	}); err != nil {
		return otherwise(err, bonafide.Conflict, "there is a person with this login already: choose another")
	}
	return tx.Record(ctx, p.Tenant, actor, "person.added", "person:"+p.ID, map[string]any{"roles": p.Roles, "password": phc != ""})
}

const personColumns = `tenant, id, roles, created, disabled, must_change, body`

func (tx *Tx) scanPerson(r row) (p bonafide.Person, err error) {
	var roles string
	var created, disabled int64
	var sealed []byte
	if err = r.Scan(&p.Tenant, &p.ID, &roles, &created, &disabled, &p.MustChange, &sealed); err != nil {
		return p, err
	}
	p.Created, p.Disabled = instant(created), instant(disabled)
	if err := json.Unmarshal([]byte(roles), &p.Roles); err != nil {
		return p, fmt.Errorf("the roles of a person: %w", err)
	}
	plain, err := tx.db.root.open(place("person", string(p.Tenant), p.ID), sealed)
	if err != nil {
		return p, fmt.Errorf("a person: %w", err)
	}
	var b personBody
	if err := json.Unmarshal(plain, &b); err != nil {
		return p, fmt.Errorf("a person: %w", err)
	}
	p.Login, p.Name, p.Lang = b.Login, b.Name, b.Lang
	return p, nil
}

const noPerson = "there is no such person"

// Person returns a person, disabled or not.
func (tx *Tx) Person(ctx context.Context, t bonafide.Tenant, id string) (bonafide.Person, error) {
	p, err := one(ctx, tx, tx.scanPerson, `SELECT `+personColumns+` FROM person WHERE tenant = $1 AND id = $2`, string(t), id)
	return p, otherwise(err, bonafide.NotFound, noPerson)
}

// PersonByLogin returns the person, of whatever tenant, with a login however it is
// written. The person may be disabled.
func (tx *Tx) PersonByLogin(ctx context.Context, login string) (bonafide.Person, error) {
	folded, err := FoldLogin(login)
	if err != nil {
		folded = "" // nobody has it; who asks must not learn that it could be nobody's
	}
	p, err := one(ctx, tx, tx.scanPerson, `SELECT `+personColumns+` FROM person WHERE login = $1`, tx.db.digest("login", folded))
	return p, otherwise(err, bonafide.NotFound, noPerson)
}

// PersonBySubject returns the person, of whatever tenant, whom an identity provider
// knows as subject. The person may be disabled.
func (tx *Tx) PersonBySubject(ctx context.Context, issuer, subject string) (bonafide.Person, error) {
	p, err := one(ctx, tx, tx.scanPerson, `SELECT `+personColumns+` FROM person WHERE subject = $1`, tx.db.digest("subject", issuer, subject))
	return p, otherwise(err, bonafide.NotFound, noPerson)
}

// People lists the people of a tenant by id, the disabled ones among them.
func (tx *Tx) People(ctx context.Context, t bonafide.Tenant) ([]bonafide.Person, error) {
	return list(ctx, tx, tx.scanPerson, `SELECT `+personColumns+` FROM person WHERE tenant = $1 ORDER BY id`, string(t))
}

// SavePerson saves name, roles, language and whether the person is disabled; the
// login stays. New roles and disabling end all sessions of the person. Somebody who
// may not change people can save their own name and language. Conflict if the tenant
// would be left without an administrator.
func (tx *Tx) SavePerson(ctx context.Context, actor bonafide.Actor, p bonafide.Person) error {
	if _, err := tx.lock(ctx, p.Tenant); err != nil {
		return err
	}
	own := isPerson(actor, p.ID)
	if err := mayPeople(actor); err != nil && !own {
		return err
	}
	p, err := checkPerson(p)
	if err != nil {
		return err
	}
	old, err := tx.Person(ctx, p.Tenant, p.ID)
	if err != nil {
		return err
	}
	p.Login = old.Login
	granted := !slices.Equal(old.Roles, p.Roles)
	disabled, enabled := old.Disabled.IsZero() && !p.Disabled.IsZero(), !old.Disabled.IsZero() && p.Disabled.IsZero()
	if own && (granted || disabled || enabled) {
		return &bonafide.Error{Kind: bonafide.Denied, Msg: "nobody changes their own roles or disables themselves: ask another administrator"}
	}
	if !granted && !disabled && !enabled && old.Name == p.Name && old.Lang == p.Lang {
		return nil
	}
	if !disabled && !enabled {
		p.Disabled = old.Disabled
	}
	if err := tx.keepAdministrator(ctx, old, p); err != nil {
		return err
	}
	roles, err := json.Marshal(p.Roles)
	if err != nil {
		return err
	}
	body, err := tx.sealPerson(p)
	if err != nil {
		return err
	}
	if _, err := tx.exec(ctx, `UPDATE person SET roles = $3, disabled = $4, body = $5 WHERE tenant = $1 AND id = $2`,
		string(p.Tenant), p.ID, string(roles), micros(p.Disabled), body); err != nil {
		return err
	}
	detail := map[string]any{"roles": p.Roles, "disabled": micros(p.Disabled)}
	if granted || disabled {
		n, err := tx.dropSessions(ctx, p.Tenant, p.ID)
		if err != nil {
			return err
		}
		detail["before"], detail["sessions"] = old.Roles, n
	}
	return tx.Record(ctx, p.Tenant, actor, "person.saved", "person:"+p.ID, detail)
}

// keepAdministrator refuses what would leave a tenant without an administrator. The
// head must be locked.
func (tx *Tx) keepAdministrator(ctx context.Context, old, p bonafide.Person) error {
	one := func(p bonafide.Person) bool { return p.Disabled.IsZero() && p.Is(bonafide.RoleAdministrator) }
	if !one(old) || one(p) {
		return nil
	}
	all, err := tx.People(ctx, p.Tenant)
	if err != nil {
		return err
	}
	for _, other := range all {
		if other.ID != p.ID && one(other) {
			return nil
		}
	}
	return &bonafide.Error{Kind: bonafide.Conflict, Msg: "this is the last administrator: make another one first"}
}

// SetPassword stores the PHC string of a person's new password, ends all sessions
// of the person, and forgets failed sign-ins. With mustChange the person has to
// choose another one first. It is for the person and for who may change people.
func (tx *Tx) SetPassword(ctx context.Context, t bonafide.Tenant, actor bonafide.Actor, id, phc string, mustChange bool) error {
	if _, err := tx.lock(ctx, t); err != nil {
		return err
	}
	if err := mayPeople(actor); err != nil && !isPerson(actor, id) {
		return err
	}
	if phc == "" {
		return &bonafide.Error{Kind: bonafide.Invalid, Msg: "a password is missing"}
	}
	sealed, err := tx.sealPassword(t, id, phc)
	if err != nil {
		return err
	}
	n, err := tx.exec(ctx, `UPDATE person SET password = $3, must_change = $4 WHERE tenant = $1 AND id = $2`, string(t), id, sealed, mustChange)
	if err != nil {
		return err
	}
	if n == 0 {
		return &bonafide.Error{Kind: bonafide.NotFound, Msg: noPerson}
	}
	ended, err := tx.dropSessions(ctx, t, id)
	if err != nil {
		return err
	}
	if err := tx.ForgetTries(ctx, "person:"+id); err != nil {
		return err
	}
	return tx.Record(ctx, t, actor, "person.password", "person:"+id, map[string]any{"must_change": mustChange, "sessions": ended})
}

// RehashPassword stores the same password hashed in another way; sessions go on.
func (tx *Tx) RehashPassword(ctx context.Context, t bonafide.Tenant, actor bonafide.Actor, id, phc string) error {
	if _, err := tx.lock(ctx, t); err != nil {
		return err
	}
	if !isPerson(actor, id) {
		return &bonafide.Error{Kind: bonafide.Denied, Msg: "only the person's own password can be hashed anew"}
	}
	sealed, err := tx.sealPassword(t, id, phc)
	if err != nil {
		return err
	}
	n, err := tx.exec(ctx, `UPDATE person SET password = $3 WHERE tenant = $1 AND id = $2 AND length(password) > 0`, string(t), id, sealed)
	if err != nil {
		return err
	}
	if n == 0 {
		return &bonafide.Error{Kind: bonafide.NotFound, Msg: noPerson}
	}
	return tx.Record(ctx, t, actor, "person.rehashed", "person:"+id, nil)
}

// Password returns the PHC string of a person's password, "" where there is none or
// no such person.
func (tx *Tx) Password(ctx context.Context, t bonafide.Tenant, id string) (string, error) {
	sealed, err := one(ctx, tx, func(r row) (b []byte, err error) { return b, r.Scan(&b) }, `SELECT password FROM person WHERE tenant = $1 AND id = $2`, string(t), id)
	if errors.Is(err, bonafide.NotFound) || err == nil && len(sealed) == 0 {
		return "", nil
	}
	if err != nil {
		return "", err
	}
	phc, err := tx.db.root.open(place("password", string(t), id), sealed)
	if err != nil {
		return "", fmt.Errorf("a password: %w", err)
	}
	return string(phc), nil
}

// LinkPerson says whom an identity provider means by subject. Conflict if the person
// has a link, or somebody else this one. An empty subject takes the link away.
func (tx *Tx) LinkPerson(ctx context.Context, t bonafide.Tenant, actor bonafide.Actor, id, issuer, subject string) error {
	if _, err := tx.lock(ctx, t); err != nil {
		return err
	}
	if err := mayPeople(actor); err != nil {
		return err
	}
	q, args := `UPDATE person SET subject = NULL WHERE tenant = $1 AND id = $2 AND subject IS NOT NULL`, []any{string(t), id}
	if subject != "" {
		q = `UPDATE person SET subject = $3 WHERE tenant = $1 AND id = $2 AND subject IS NULL`
		args = append(args, tx.db.digest("subject", issuer, subject))
	}
	n, err := tx.exec(ctx, q, args...)
	if err != nil {
		return otherwise(err, bonafide.Conflict, "somebody else is linked to this account of the identity provider")
	}
	if n == 0 {
		return &bonafide.Error{Kind: bonafide.Conflict, Msg: "there is no such person, or the link is as it is already"}
	}
	return tx.Record(ctx, t, actor, "person.linked", "person:"+id, map[string]any{"issuer": issuer, "linked": subject != ""})
}
