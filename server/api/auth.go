package api

import (
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"fmt"
	"io"
	"maps"
	"math/big"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"sync"
	"time"

	"bonafide"
	"bonafide/server"
	"bonafide/store"
)

// secretPrefix marks a key of this program, so that scanners for leaked secrets
// find it.
const secretPrefix = "bf_"

// A secret is 32 random bytes in base 62, always as long.
const (
	secretBytes  = 32
	secretLength = 43 // digits: 62^43 > 2^256
	base62       = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
)

// NewSecret makes the secret of an API key, to be shown once, and the hash under
// which the store keeps it.
func NewSecret(random io.Reader) (secret string, hash []byte, err error) {
	var b [secretBytes]byte
	if _, err := io.ReadFull(random, b[:]); err != nil {
		return "", nil, fmt.Errorf("draw a secret: %w", err)
	}
	n, digit, sixtyTwo := new(big.Int).SetBytes(b[:]), new(big.Int), big.NewInt(62)
	var text [secretLength]byte
	for i := range text {
		n.DivMod(n, sixtyTwo, digit)
		text[secretLength-1-i] = base62[digit.Int64()]
	}
	secret = secretPrefix + string(text[:])
	return secret, hashSecret(secret), nil
}

// hashSecret needs no salt or stretching: nobody can guess 256 random bits.
func hashSecret(secret string) []byte {
	h := sha256.Sum256([]byte(secret))
	return h[:]
}

// bearer returns the secret of a request.
func bearer(r *http.Request) (string, bool) {
	h := r.Header.Values("Authorization")
	if len(h) != 1 {
		return "", false
	}
	scheme, secret, ok := strings.Cut(h[0], " ")
	if !ok || !strings.EqualFold(scheme, "Bearer") || len(secret) != len(secretPrefix)+secretLength || !strings.HasPrefix(secret, secretPrefix) {
		return "", false
	}
	return secret, true
}

// A keyring keeps keys for a short while, so that a request costs no round trip to
// find its own. It is safe for concurrent use.
type keyring struct {
	mu   sync.Mutex
	keys map[string]held // by hash
}

type held struct {
	key  store.APIKey
	read time.Time
}

const maxHeld = 10_000

func (k *keyring) find(hash []byte) (held, bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	h, ok := k.keys[string(hash)]
	return h, ok
}

func (k *keyring) put(key store.APIKey, read time.Time) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.keys == nil || len(k.keys) >= maxHeld {
		k.keys = map[string]held{}
	}
	k.keys[string(key.Hash)] = held{key, read}
}

// drop forgets a key: by its hash, or by its id.
func (k *keyring) drop(hash []byte, id string) {
	k.mu.Lock()
	defer k.mu.Unlock()
	maps.DeleteFunc(k.keys, func(h string, v held) bool { return h == string(hash) || id != "" && v.key.ID == id })
}

var errUnauthenticated = &server.Refusal{
	Status: http.StatusUnauthorized, Detail: "send a valid key: Authorization: Bearer bf_…",
	Header: http.Header{"Www-Authenticate": {`Bearer realm="bonafide"`}},
}

// authenticate returns the key of a request. A key whose validity ended is no key. An
// address that sends too many wrong ones is slowed down; keys known to be right are
// not, so that one bad client does not shut out the others behind its address.
func (a *api) authenticate(r *http.Request) (store.APIKey, error) {
	now := a.Now()
	secret, ok := bearer(r)
	if !ok {
		return store.APIKey{}, a.failed(r, now)
	}
	hash := hashSecret(secret)
	h, seen := a.keys.find(hash)
	if !seen || now.Sub(h.read) >= a.Limits.Trust || now.Before(h.read) {
		if !seen {
			if wait, ok := a.failures.Left(address(r), a.Limits.Failures, a.Limits.Failures, now); !ok {
				return store.APIKey{}, slower(wait)
			}
		}
		ctx := r.Context()
		err := a.Store.View(ctx, func(tx *store.Tx) (err error) {
			h.key, err = tx.KeyByHash(ctx, hash)
			return err
		})
		if errors.Is(err, bonafide.NotFound) {
			a.keys.drop(hash, "")
			return store.APIKey{}, a.failed(r, now)
		}
		if err != nil {
			return store.APIKey{}, fmt.Errorf("look up key: %w", err)
		}
		a.keys.put(h.key, now)
	}
	k := h.key
	if subtle.ConstantTimeCompare(k.Hash, hash) != 1 || !valid(k, now) {
		return store.APIKey{}, a.failed(r, now)
	}
	return k, nil
}

func valid(k store.APIKey, now time.Time) bool {
	return (k.Expires.IsZero() || now.Before(k.Expires)) && (k.Revoked.IsZero() || now.Before(k.Revoked))
}

// failed counts a request without a valid key against its address.
func (a *api) failed(r *http.Request, now time.Time) error {
	if wait, ok := a.failures.Take(address(r), a.Limits.Failures, a.Limits.Failures, now); !ok {
		return slower(wait)
	}
	return errUnauthenticated
}

// throttle takes one request of a key's rate. Ten seconds' worth may come at once.
func (a *api) throttle(k store.APIKey) error {
	rate := k.Rate
	if rate <= 0 {
		rate = a.Limits.Rate
	}
	if wait, ok := a.requests.Take(k.ID, rate, max(1, rate/6), a.Now()); !ok {
		return slower(wait)
	}
	return nil
}

func slower(wait time.Duration) error {
	return &server.Refusal{Status: http.StatusTooManyRequests, Detail: "more requests than allowed: wait as long as Retry-After says", After: max(wait, time.Second)}
}

// address returns what a client can hardly change: the IPv4 address, or the network
// of the IPv6 one.
func address(r *http.Request) string {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		host = r.RemoteAddr
	}
	ip, err := netip.ParseAddr(host)
	if err != nil {
		return "unknown"
	}
	if ip = ip.Unmap(); ip.Is6() {
		if p, err := ip.WithZone("").Prefix(64); err == nil {
			return p.String()
		}
	}
	return ip.String()
}
