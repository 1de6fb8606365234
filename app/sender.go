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
	if c.Sender != "file" && c.PublicURL == "" {
		return nil, invalid("sender: %s needs public_url, the address by which customers reach the program", c.Sender)
	}
	switch c.Sender {
	case "file":
		return c.folder(), nil
	case "smtp":
		host, _, err := net.SplitHostPort(c.SenderSMTP)
		if err != nil {
			return nil, invalid("sender_smtp: not host:port")
		}
		from, err := mail.ParseAddress(c.SenderFrom)
		if err != nil {
			return nil, invalid("sender_from: not a mail address")
		}
		ip := net.ParseIP(host)
		return outbox.SMTP{
			Addr: c.SenderSMTP, User: c.SenderUser, Password: secret, From: from.Address, PhoneDomain: c.SenderPhoneDomain,
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

// folder is where messages are put for the lender's own systems to pick up.
func (c *Config) folder() outbox.Folder {
	return outbox.Folder{Dir: filepath.Join(c.Data, "outbox"), Now: time.Now}
}
