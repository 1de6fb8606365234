package outbox

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"mime/quotedprintable"
	"net"
	"net/http"
	"net/smtp"
	"os"
	"path/filepath"
	"strings"
	"time"

	"bonafide"
)

// sendIn bounds how long one message may take.
const sendIn = 20 * time.Second

// A Folder is a sender that writes each message to a file, for the lender's own systems
// to pick up: the default, which needs nothing. A file names whom to write to, so only
// the program's own user may read it, and it is removed when its question has expired.
type Folder struct {
	Dir string
	Now func() time.Time
}

// Run removes messages whose questions have expired, until ctx ends.
func (f Folder) Run(ctx context.Context) error {
	t := time.NewTicker(10 * time.Minute)
	defer t.Stop()
	for {
		f.tidy()
		select {
		case <-ctx.Done():
			return nil
		case <-t.C:
		}
	}
}

// Send writes a message to a file.
func (f Folder) Send(_ context.Context, m bonafide.Message) error {
	if err := os.MkdirAll(f.Dir, 0o700); err != nil {
		return fmt.Errorf("make the outbox: %w", err)
	}
	f.tidy()
	b, err := json.MarshalIndent(m, "", "  ")
	if err != nil {
		return fmt.Errorf("write message: %w", err)
	}
	name := filepath.Join(f.Dir, fmt.Sprintf("%s-%d.json", filepath.Base(m.ID), f.Now().UnixNano()))
	tmp := name + ".part"
	if err := os.WriteFile(tmp, append(b, '\n'), 0o600); err != nil {
		return fmt.Errorf("write message: %w", err)
	}
	if err := os.Rename(tmp, name); err != nil {
		return fmt.Errorf("write message: %w", err)
	}
	return nil
}

// tidy removes the messages whose questions have expired.
func (f Folder) tidy() {
	entries, err := os.ReadDir(f.Dir)
	if err != nil {
		return // nothing was written yet
	}
	for _, e := range entries {
		path := filepath.Join(f.Dir, e.Name())
		b, err := os.ReadFile(path)
		var m bonafide.Message
		if err == nil && json.Unmarshal(b, &m) == nil && !m.Expires.IsZero() && f.Now().After(m.Expires) {
			_ = os.Remove(path) // tried again the next time
		}
	}
}

// An SMTP is a sender that hands messages to a mail server. Over e-mail it can reach
// nobody but by e-mail: a message to a phone needs a mail server that turns it into a
// text message, named by PhoneDomain.
type SMTP struct {
	Addr        string // host:port
	User        string
	Password    string
	From        string
	PhoneDomain string // "sms.example": +8613… becomes +8613…@sms.example; "" refuses phones
	Plain       bool   // without TLS, for a server on this machine
}

// Send hands a message to the mail server.
func (s SMTP) Send(ctx context.Context, m bonafide.Message) error {
	to := m.To
	if m.Way == bonafide.ByPhone {
		if s.PhoneDomain == "" {
			return errors.New("the mail server reaches no phones: set sender_phone_domain, or send over a webhook")
		}
		to = strings.Map(func(r rune) rune {
			if r == '+' || '0' <= r && r <= '9' {
				return r
			}
			return -1
		}, to) + "@" + s.PhoneDomain
	}
	if strings.ContainsAny(to+s.From+m.Subject, "\r\n") {
		return errors.New("a line break in an address")
	}
	ctx, done := context.WithTimeout(ctx, sendIn)
	defer done()
	conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", s.Addr)
	if err != nil {
		return fmt.Errorf("reach the mail server: %w", err)
	}
	defer conn.Close()
	if end, ok := ctx.Deadline(); ok {
		_ = conn.SetDeadline(end) // a connection that takes none ends with its context
	}
	host, _, err := net.SplitHostPort(s.Addr)
	if err != nil {
		return fmt.Errorf("mail server: %w", err)
	}
	c, err := smtp.NewClient(conn, host)
	if err != nil {
		return fmt.Errorf("speak with the mail server: %w", err)
	}
	defer c.Close()
	if !s.Plain {
		if err := c.StartTLS(&tls.Config{ServerName: host, MinVersion: tls.VersionTLS12}); err != nil {
			return fmt.Errorf("encrypt to the mail server: %w", err)
		}
	}
	if s.User != "" {
		if err := c.Auth(smtp.PlainAuth("", s.User, s.Password, host)); err != nil {
			return fmt.Errorf("sign in to the mail server: %w", err)
		}
	}
	if err := c.Mail(s.From); err != nil {
		return fmt.Errorf("mail: %w", err)
	}
	if err := c.Rcpt(to); err != nil {
		return errors.New("mail: the server refuses the recipient") // its answer may repeat the address
	}
	w, err := c.Data()
	if err != nil {
		return fmt.Errorf("mail: %w", err)
	}
	if _, err := w.Write(s.letter(to, m)); err != nil {
		return fmt.Errorf("mail: %w", err)
	}
	if err := w.Close(); err != nil {
		return fmt.Errorf("mail: %w", err)
	}
	_ = c.Quit() // the server took the mail: what it says on leaving changes nothing
	return nil
}

// letter writes a message as RFC 5322 has it.
func (s SMTP) letter(to string, m bonafide.Message) []byte {
	var b bytes.Buffer
	_, host, _ := strings.Cut(s.From, "@")
	fmt.Fprintf(&b, "From: %s\r\nTo: %s\r\nSubject: %s\r\n", s.From, to, mime.QEncoding.Encode("utf-8", m.Subject))
	fmt.Fprintf(&b, "Date: %s\r\nMessage-ID: <%s.%d@%s>\r\n", m.Made.UTC().Format(time.RFC1123Z), m.ID, m.Made.UnixNano(), host)
	b.WriteString("MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\nAuto-Submitted: auto-generated\r\n\r\n")
	q := quotedprintable.NewWriter(&b)
	_, _ = q.Write([]byte(m.Text)) // a buffer takes everything
	_ = q.Close()
	return b.Bytes()
}

// A Hook is a sender that posts messages as JSON to a service of the lender's.
type Hook struct {
	URL    string
	Secret string // sent as a bearer token
	Client *http.Client
}

// Send posts a message.
func (h Hook) Send(ctx context.Context, m bonafide.Message) error {
	b, err := json.Marshal(m)
	if err != nil {
		return fmt.Errorf("write message: %w", err)
	}
	ctx, done := context.WithTimeout(ctx, sendIn)
	defer done()
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, h.URL, bytes.NewReader(b))
	if err != nil {
		return fmt.Errorf("post message: %w", err)
	}
	r.Header.Set("Content-Type", "application/json")
	if h.Secret != "" {
		r.Header.Set("Authorization", "Bearer "+h.Secret)
	}
	client := h.Client
	if client == nil {
		client = &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	}
	res, err := client.Do(r)
	if err != nil {
		return errors.New("the service that sends messages cannot be reached") // the error may hold the address with a secret
	}
	defer res.Body.Close()
	_, _ = io.Copy(io.Discard, io.LimitReader(res.Body, 1<<16)) // so that the connection can be used again
	if res.StatusCode/100 != 2 {
		return fmt.Errorf("the service that sends messages answered %d", res.StatusCode)
	}
	return nil
}
