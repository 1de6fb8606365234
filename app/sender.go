package app

import (
	"net"
	"net/mail"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"bonafide/engine"
	"bonafide/outbox"
)

// sender is what sends questions to customers.
func (c *Config) sender() (engine.Sender, error) {
	secret := ""
	if c.SenderPasswordFile != "" {
		b, err := os.ReadFile(c.SenderPasswordFile)
		if err != nil {
			return nil, invalid("sender_password_file: %s cannot be read", filepath.Base(c.SenderPasswordFile))
		}
		secret = strings.TrimSpace(string(b))
	}
	switch c.Sender {
	case "file":
		return outbox.Folder{Dir: filepath.Join(c.Data, "outbox"), Now: time.Now}, nil
	case "smtp":
		host, _, err := net.SplitHostPort(c.SenderSMTP)
		if err != nil {
			return nil, invalid("sender_smtp: not host:port")
		}
		if _, err := mail.ParseAddress(c.SenderFrom); err != nil {
			return nil, invalid("sender_from: not a mail address")
		}
		ip := net.ParseIP(host)
		return outbox.SMTP{
			Addr: c.SenderSMTP, User: c.SenderUser, Password: secret, From: c.SenderFrom, PhoneDomain: c.SenderPhoneDomain,
			Plain: host == "localhost" || ip != nil && ip.IsLoopback(),
		}, nil
	case "webhook":
		u, err := url.Parse(c.SenderURL)
		if err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" {
			return nil, invalid("sender_url: not an address such as https://messages.example.org/send")
		}
		if ip := net.ParseIP(u.Hostname()); u.Scheme == "http" && u.Hostname() != "localhost" && (ip == nil || !ip.IsLoopback()) {
			return nil, invalid("sender_url: without TLS only on this machine: messages name customers")
		}
		return outbox.Hook{URL: c.SenderURL, Secret: secret}, nil
	}
	return nil, invalid("sender: not one of file, smtp, webhook")
}
