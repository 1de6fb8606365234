package app

import (
	"net/url"
	"strings"
)

// checkDB says whether the database is one that can be opened. What it says repeats no
// part of an address, since a password may stand anywhere in one that is wrong.
func (c *Config) checkDB() error {
	db := strings.ToLower(c.DB)
	if strings.Contains(db, "host=") || strings.Contains(db, "password=") {
		if !remote(db) {
			return invalid("db: write it as an address, postgres://user:password@host:port/name, not as key=value")
		}
	}
	if _, ok := address(c.DB); remote(db) && (!ok || !c.Postgres()) {
		return invalid("db: not an address such as postgres://user:password@host:port/name; in a password, write / ? # as %%2F %%3F %%23")
	}
	return nil
}

// remote reports whether a database is meant to be a server, however it is written.
func remote(db string) bool {
	return strings.HasPrefix(db, "postgres:") || strings.HasPrefix(db, "postgresql:")
}

// address parses a URL with a host. One where a part of the password may have come to
// stand as host or path is none.
func address(s string) (*url.URL, bool) {
	u, err := url.Parse(s)
	if err != nil || u.Host == "" || u.Fragment != "" || strings.Contains(u.Path, "@") || u.User == nil && strings.Contains(s, "@") {
		return nil, false
	}
	return u, true
}

// Shown returns what of c's database and of its collector's address may be shown: scheme,
// user name, host and path.
func (c *Config) Shown() (db, otlp string) {
	db = c.Database()
	if u, ok := address(db); ok {
		db = shown(u, u.User.Username())
	} else if c.checkDB() != nil {
		db = "postgres (hidden)"
	}
	if u, ok := address(c.OTLP); ok {
		otlp = shown(u, "")
	} else if c.OTLP != "" {
		otlp = "(hidden)"
	}
	return db, otlp
}

func shown(u *url.URL, user string) string {
	s := url.URL{Scheme: u.Scheme, Host: u.Host, Path: u.Path}
	if user != "" {
		s.User = url.User(user)
	}
	return s.String()
}
