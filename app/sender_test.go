package app

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"bonafide"
)

func TestSenderOfAConfig(t *testing.T) {
	secret := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(secret, []byte("s\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, row := range []struct {
		name string
		set  func(*Config)
		good bool
	}{
		{"the default", func(*Config) {}, true},
		{"mail on this machine", func(c *Config) { c.Sender, c.SenderSMTP, c.SenderFrom = "smtp", "127.0.0.1:25", "a@b.example" }, true},
		{"mail without a port", func(c *Config) { c.Sender, c.SenderSMTP, c.SenderFrom = "smtp", "mail.example", "a@b.example" }, false},
		{"mail from nobody", func(c *Config) { c.Sender, c.SenderSMTP = "smtp", "mail.example:587" }, false},
		{"a service", func(c *Config) {
			c.Sender, c.SenderURL, c.SenderPasswordFile = "webhook", "https://x.example/send", secret
		}, true},
		{"a service in clear", func(c *Config) { c.Sender, c.SenderURL = "webhook", "http://x.example/send" }, false},
		{"a service on this machine", func(c *Config) { c.Sender, c.SenderURL = "webhook", "http://127.0.0.1:9/send" }, true},
		{"no secret", func(c *Config) { c.SenderPasswordFile = secret + "x" }, false},
		{"a service that nobody can reach back", func(c *Config) { c.Sender, c.SenderURL, c.PublicURL = "webhook", "https://x.example/send", "" }, false},
		{"pigeons", func(c *Config) { c.Sender = "pigeon" }, false},
	} {
		c := Defaults()
		c.PublicURL = "https://lender.example"
		row.set(&c)
		s, err := c.sender()
		if row.good != (err == nil) || row.good && s == nil || !row.good && !errors.Is(err, bonafide.Invalid) {
			t.Errorf("%s: %v, %v", row.name, s, err)
		}
	}
}
