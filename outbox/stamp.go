package outbox

import (
	"bytes"
	"context"
	"crypto/x509"
	"fmt"
	"io"
	"net/http"
	"time"

	"bonafide"
	"bonafide/evidence/stamp"
)

// An Authority stamps bytes with the time (RFC 3161 over HTTP, section 3.4). What it sends
// back is checked before it is believed.
type Authority struct {
	URL    string
	Roots  []*x509.Certificate // who vouches for it
	Random io.Reader           // of nonces
	Client *http.Client        // nil for the default one
}

// stampIn is how long an authority may take.
const stampIn = 30 * time.Second

// Stamp returns the authority's token over data. An error of Kind Busy says that it could
// not be reached or would not answer now.
func (a Authority) Stamp(ctx context.Context, data []byte) ([]byte, error) {
	query, nonce, err := stamp.Request(a.Random, data)
	if err != nil {
		return nil, err
	}
	ctx, done := context.WithTimeout(ctx, stampIn)
	defer done()
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, a.URL, bytes.NewReader(query))
	if err != nil {
		return nil, fmt.Errorf("ask for a time-stamp: %w", err)
	}
	r.Header.Set("Content-Type", "application/timestamp-query")
	client := a.Client
	if client == nil {
		client = http.DefaultClient
	}
	busy := func(msg string, err error) error {
		return &bonafide.Error{Kind: bonafide.Busy, Msg: "the time-stamping authority " + msg + ": try again later", Err: err}
	}
	resp, err := client.Do(r)
	if err != nil {
		return nil, busy("cannot be reached", err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return nil, busy(fmt.Sprintf("answers with status %d", resp.StatusCode), nil)
	}
	body, err := io.ReadAll(io.LimitReader(resp.Body, stamp.MaxToken+1))
	if err != nil {
		return nil, busy("breaks off", err)
	}
	token, err := stamp.Token(body, nonce)
	if err != nil {
		return nil, fmt.Errorf("time-stamp: %w", err)
	}
	if _, err := stamp.Verify(token, data, a.Roots); err != nil {
		return nil, fmt.Errorf("the authority's time-stamp does not hold: %w", err)
	}
	return token, nil
}
