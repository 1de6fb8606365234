// Package app wires the parts of a running program together: it alone knows them
// all. Configuration comes from defaults, then a file, then the environment, then flags.
package app

import (
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"time"

	"bonafide"
	"bonafide/casework"
	"bonafide/server/auth"

	"github.com/BurntSushi/toml"
)

// A Config is what an operator can set. An empty value means the default where something
// must be set; an empty Kafka topic leaves that direction out. Its names in a file are those of the toml tags, in the environment BONAFIDE_ and
// the same in capitals.
type Config struct {
	Data            string `toml:"data" help:"Directory of the embedded database and the keys (bonafide-data)."`
	DB              string `toml:"db" help:"Database: a file, or postgres://… (several processes may share one). Default: bonafide.db in the data directory."`
	Listen          string `toml:"listen" help:"Address to listen on (127.0.0.1:8484)."`
	TLSCert         string `toml:"tls_cert" help:"Certificate file; with --tls-key, HTTPS is served."`
	TLSKey          string `toml:"tls_key" help:"Key file of the certificate."`
	BehindProxy     bool   `toml:"behind_proxy" help:"A proxy in front ends TLS: allows plain HTTP on other than loopback addresses."`
	RootKeyFile     string `toml:"root_key_file" help:"File with the root key: 64 hex digits. Default: root.key in the data directory, made at the first start. Every process on one database needs the same."`
	NoFirstKey      bool   `toml:"no_first_key" help:"Make no administrator's key at the first start, so that none is printed; make one with: bonafide key add."`
	Policy          string `toml:"policy" help:"Policy pack: a name, or the path of a TOML file (nifa-2024)."`
	LogFormat       string `toml:"log_format" help:"text or json (text)."`
	LogLevel        string `toml:"log_level" help:"debug, info, warn or error (info)."`
	Checkpoint      string `toml:"checkpoint" help:"How often the audit log is signed (1m)."`
	Metrics         string `toml:"metrics" help:"Address of Prometheus metrics, without a key; keep it on loopback. Default: none."`
	OTLP            string `toml:"otlp" help:"Address of an OpenTelemetry collector (http://host:4318): traces are sent there. Default: none."`
	WebhooksPrivate bool   `toml:"webhooks_private" help:"Webhooks may go to private and loopback addresses."`

	KafkaBrokers string `toml:"kafka_brokers" help:"Brokers, host:port with commas between: complaints are read from Kafka and events written to it. Default: none."`
	KafkaIn      string `toml:"kafka_in" help:"Topic of complaints, one JSON each (bonafide.complaints). Empty: none are read."`
	KafkaOut     string `toml:"kafka_out" help:"Topic of events (bonafide.events). Empty: none are written."`
	KafkaTenant  string `toml:"kafka_tenant" help:"Tenant that the topics belong to (main)."`
	KafkaTLS     bool   `toml:"kafka_tls" help:"Speak TLS to the brokers."`

	Jurisdiction string `toml:"jurisdiction" help:"Whose clocks run for new complaints: cn-nfra, us-cfpb, uk-disp or in-rbi (cn-nfra)."`
	LenderName   string `toml:"lender_name" help:"The lender's name, as letters to customers give it."`

	Evidence       string `toml:"evidence" help:"Where the originals of evidence are kept: a directory (evidence in the data directory), or s3+https://host/bucket/prefix with BONAFIDE_EVIDENCE_KEY and BONAFIDE_EVIDENCE_SECRET in the environment. They are sealed; back them up too."`
	EvidenceRegion string `toml:"evidence_region" help:"Region of the bucket, where it has one."`
	TSAURL         string `toml:"tsa_url" help:"Time-stamping authority (RFC 3161): checkpoints of the log are stamped there once a day, and each sealed pack. Default: none."`
	TSARoots       string `toml:"tsa_roots" help:"File with the authority's root certificates (PEM)." type:"path"`

	Sender             string `toml:"sender" help:"How questions go to customers over their known phone or e-mail: file (the default: one file each, in outbox within the data directory), smtp or webhook."`
	SenderSMTP         string `toml:"sender_smtp" help:"Mail server, host:port; TLS is used unless it is on this machine."`
	SenderFrom         string `toml:"sender_from" help:"Address that mails come from."`
	SenderUser         string `toml:"sender_user" help:"User at the mail server."`
	SenderPhoneDomain  string `toml:"sender_phone_domain" help:"Domain by which the mail server reaches phones: numbers stand before it."`
	SenderURL          string `toml:"sender_url" help:"Address of the service that sends messages, https://…; each is posted there as JSON."`
	SenderPasswordFile string `toml:"sender_password_file" help:"File with the password at the mail server, or the token for the service."`

	Lender string `toml:"lender" help:"TOML file with the lender's own numbers and addresses, as scan reads it: they link nobody."`

	PublicURL            string   `toml:"public_url" help:"Scheme, host and port by which browsers reach the console (https://bonafide.example.org): passkeys and the identity provider need it."`
	OIDCIssuer           string   `toml:"oidc_issuer" help:"Identity provider (OpenID Connect) that people may sign in through. Default: none."`
	OIDCClientID         string   `toml:"oidc_client_id" help:"What the identity provider calls this program."`
	OIDCClientSecretFile string   `toml:"oidc_client_secret_file" help:"File with the secret that the identity provider gave this program."`
	OIDCTenant           string   `toml:"oidc_tenant" help:"Tenant whose people come from the identity provider (main)."`
	OIDCRolesClaim       string   `toml:"oidc_roles_claim" help:"Claim that says what people may do, such as groups; it then decides at every sign-in. Default: roles are given here."`
	OIDCRoles            []string `toml:"oidc_roles" help:"What values of the claim mean: value=role, such as complaints-team=handler; with commas between, a list in a file."`
	OIDCCreate           bool     `toml:"oidc_create" help:"Whoever comes from the identity provider with a role is added, if not known yet."`

	rootKey                     string // from the environment
	evidenceKey, evidenceSecret string // likewise
}

// LogValue keeps a password in the database's address out of logs.
func (c Config) LogValue() slog.Value { return slog.StringValue("config of " + c.Data) }

// Defaults are what holds where nothing is set.
func Defaults() Config {
	return Config{
		Data: "bonafide-data", Listen: "127.0.0.1:8484", Policy: "nifa-2024", LogFormat: "text", LogLevel: "info", Checkpoint: "1m",
		KafkaIn: "bonafide.complaints", KafkaOut: "bonafide.events", KafkaTenant: "main",
		OIDCTenant: "main", Sender: "file", Jurisdiction: "cn-nfra", LenderName: "The lender",
	}
}

const maxConfig = 1 << 20

// Read fills c from a TOML file. An unknown name is an error that says so.
func (c *Config) Read(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return invalid("%s cannot be read: %v", path, errors.Unwrap(err))
	}
	defer f.Close()
	meta, err := toml.NewDecoder(io.LimitReader(f, maxConfig)).Decode(c)
	if err != nil {
		return invalid("%s: %v", filepath.Base(path), err)
	}
	if rest := meta.Undecoded(); len(rest) > 0 {
		return invalid("%s: unknown key %q: correct its spelling or remove it", filepath.Base(path), rest[0].String())
	}
	c.fill()
	return nil
}

// fill sets what must not be empty, and is, to its default.
func (c *Config) fill() {
	d := Defaults()
	for value, usual := range map[*string]string{
		&c.Data: d.Data, &c.Listen: d.Listen, &c.Policy: d.Policy, &c.LogFormat: d.LogFormat, &c.LogLevel: d.LogLevel,
		&c.Checkpoint: d.Checkpoint, &c.KafkaTenant: d.KafkaTenant, &c.OIDCTenant: d.OIDCTenant,
		&c.Sender: d.Sender, &c.Jurisdiction: d.Jurisdiction, &c.LenderName: d.LenderName,
	} {
		if *value == "" {
			*value = usual
		}
	}
}

// Environ fills c from the environment, as lookup gives it. A variable that is set to
// nothing unsets what a file says.
func (c *Config) Environ(lookup func(string) (string, bool)) error {
	v := reflect.ValueOf(c).Elem()
	for i := range v.NumField() {
		tag := v.Type().Field(i).Tag.Get("toml")
		if tag == "" {
			continue
		}
		name := "BONAFIDE_" + strings.ToUpper(tag)
		s, ok := lookup(name)
		if !ok {
			continue
		}
		switch f := v.Field(i); f.Kind() {
		case reflect.Bool:
			switch strings.ToLower(s) {
			case "true", "1", "yes":
				f.SetBool(true)
			case "false", "0", "no", "":
				f.SetBool(false)
			default:
				return invalid("%s is neither true nor false", name)
			}
		case reflect.Slice:
			var list []string
			for part := range strings.SplitSeq(s, ",") {
				if part = strings.TrimSpace(part); part != "" {
					list = append(list, part)
				}
			}
			f.Set(reflect.ValueOf(list))
		default:
			f.SetString(s)
		}
	}
	c.rootKey, _ = lookup("BONAFIDE_ROOT_KEY")
	c.evidenceKey, _ = lookup("BONAFIDE_EVIDENCE_KEY")
	c.evidenceSecret, _ = lookup("BONAFIDE_EVIDENCE_SECRET")
	c.fill()
	return nil
}

// Overlay sets the fields of these names as they are in o, whatever their value: the
// flags that were given, over what a file and the environment say.
func (c *Config) Overlay(o Config, given []string) {
	to, from := reflect.ValueOf(c).Elem(), reflect.ValueOf(o)
	for i := range to.NumField() {
		if tag := to.Type().Field(i).Tag.Get("toml"); tag != "" && slices.Contains(given, tag) {
			to.Field(i).Set(from.Field(i))
		}
	}
	c.fill()
}

// Check says what is wrong with c, and what to do. It opens no database.
func (c *Config) Check() error {
	host, _, err := net.SplitHostPort(c.Listen)
	if err != nil {
		return invalid("listen: not an address such as 127.0.0.1:8484")
	}
	if (c.TLSCert == "") != (c.TLSKey == "") {
		return invalid("tls_cert and tls_key: give both or none")
	}
	if !loopback(host) && c.TLSCert == "" && !c.BehindProxy {
		return invalid("listen: %s is reached from other machines: set tls_cert and tls_key, or behind_proxy where a proxy in front speaks TLS", c.Listen)
	}
	if d, err := time.ParseDuration(c.Checkpoint); err != nil || d < 10*time.Millisecond {
		return invalid("checkpoint: not a time such as 1m")
	}
	if c.Metrics != "" {
		if _, _, err := net.SplitHostPort(c.Metrics); err != nil {
			return invalid("metrics: not an address such as 127.0.0.1:9484")
		}
	}
	if c.OTLP != "" {
		if u, err := url.Parse(c.OTLP); err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
			return invalid("otlp: not an address such as http://127.0.0.1:4318")
		}
	}
	if c.KafkaBrokers != "" && c.KafkaIn == "" && c.KafkaOut == "" {
		return invalid("kafka_in and kafka_out are both empty: name a topic, or leave kafka_brokers out")
	}
	if c.LogFormat != "text" && c.LogFormat != "json" {
		return invalid("log_format: neither text nor json")
	}
	if _, err := casework.Load(c.Jurisdiction); err != nil {
		return invalid("jurisdiction: %v", err)
	}
	var level slog.Level
	if err := c.checkDB(); err != nil {
		return err
	}
	if err := errors.Join(c.checkSignIn(), c.checkEvidence()); err != nil {
		return err
	}
	if err := level.UnmarshalText([]byte(c.LogLevel)); err != nil {
		return invalid("log_level: none of debug, info, warn, error")
	}
	if c.rootKey != "" {
		if _, err := parseKey(c.rootKey); err != nil {
			return invalid("BONAFIDE_ROOT_KEY: %v", err)
		}
	}
	return nil
}

// checkSignIn says what is wrong with what people sign in by. What it says repeats no
// part of an address.
func (c *Config) checkSignIn() error {
	bare := func(s string) (*url.URL, bool) {
		u, err := url.Parse(s)
		return u, err == nil && u.Host != "" && u.User == nil && u.RawQuery == "" && u.Fragment == "" && (u.Scheme == "https" || u.Scheme == "http" && loopback(u.Hostname()))
	}
	if c.PublicURL != "" {
		u, err := url.Parse(c.PublicURL)
		if err == nil && u.Scheme == "http" && !loopback(u.Hostname()) {
			return invalid("public_url: browsers take sessions and passkeys over https alone: write https://…, or http://localhost to try it")
		}
		if u, ok := bare(c.PublicURL); !ok || strings.Trim(u.Path, "/") != "" {
			return invalid("public_url: not scheme, host and port such as https://bonafide.example.org")
		}
	}
	if _, err := c.roles(); err != nil {
		return err
	}
	if c.OIDCIssuer == "" {
		if c.OIDCClientID != "" || c.OIDCClientSecretFile != "" || c.OIDCRolesClaim != "" || len(c.OIDCRoles) > 0 || c.OIDCCreate {
			return invalid("oidc_issuer is missing: name the identity provider, or leave the other oidc settings out")
		}
		return nil
	}
	if _, ok := bare(c.OIDCIssuer); !ok {
		return invalid("oidc_issuer: not an https address such as https://login.example.org/realm")
	}
	switch {
	case c.PublicURL == "":
		return invalid("oidc_issuer: set public_url too: the identity provider sends people back there, to /sign-in/oidc/callback")
	case c.OIDCClientID == "":
		return invalid("oidc_client_id is missing: the identity provider gives it when this program is registered there")
	case (c.OIDCRolesClaim == "") != (len(c.OIDCRoles) == 0):
		return invalid("oidc_roles_claim and oidc_roles: give both or none")
	case c.OIDCCreate && c.OIDCRolesClaim == "":
		return invalid("oidc_create: whoever is added needs a role: set oidc_roles_claim and oidc_roles")
	}
	return nil
}

// roles reads the list of what values of the claim mean.
func (c *Config) roles() (map[string][]bonafide.Role, error) {
	out := map[string][]bonafide.Role{}
	for i, s := range c.OIDCRoles {
		at := strings.LastIndexByte(s, '=')
		if at < 1 {
			return nil, invalid("oidc_roles, number %d: not a value and a role such as complaints-team=handler", i+1)
		}
		value, role := strings.TrimSpace(s[:at]), bonafide.Role(strings.TrimSpace(s[at+1:]))
		if !role.Known() {
			return nil, invalid("oidc_roles, number %d: no such role: there are %v", i+1, bonafide.Roles)
		}
		out[value] = append(out[value], role)
	}
	return out, nil
}

const maxSecret = 4 << 10

// Auth returns what people sign in by, but for the store, the clock, the random source
// and the log. It reads the file of the identity provider's secret.
func (c *Config) Auth() (auth.Config, error) {
	a := auth.Config{Secure: c.TLSCert != "" || c.BehindProxy, BehindProxy: c.BehindProxy, PublicURL: c.PublicURL}
	if c.OIDCIssuer == "" {
		return a, nil
	}
	roles, err := c.roles()
	if err != nil {
		return a, err
	}
	a.OIDC = auth.OIDC{
		Issuer: c.OIDCIssuer, ClientID: c.OIDCClientID, Tenant: bonafide.Tenant(c.OIDCTenant), RolesClaim: c.OIDCRolesClaim, Roles: roles, Create: c.OIDCCreate,
	}
	if c.OIDCClientSecretFile == "" {
		return a, nil
	}
	f, err := os.Open(c.OIDCClientSecretFile)
	if err != nil {
		return a, invalid("oidc_client_secret_file cannot be read: %v", errors.Unwrap(err))
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, maxSecret))
	a.OIDC.ClientSecret = strings.TrimSpace(string(b))
	if err != nil || a.OIDC.ClientSecret == "" {
		return a, invalid("oidc_client_secret_file: there is no secret in it")
	}
	return a, nil
}

func loopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// Database returns the file or URL of the database.
func (c *Config) Database() string {
	if c.DB != "" {
		return c.DB
	}
	return filepath.Join(c.Data, "bonafide.db")
}

// Postgres reports whether the database is a server that others may share.
func (c *Config) Postgres() bool {
	return strings.HasPrefix(c.Database(), "postgres://") || strings.HasPrefix(c.Database(), "postgresql://")
}

// KeyFile returns where the root key is read from, "" where BONAFIDE_ROOT_KEY holds it.
func (c *Config) KeyFile() string {
	if c.rootKey != "" {
		return ""
	}
	if c.RootKeyFile != "" {
		return c.RootKeyFile
	}
	return filepath.Join(c.Data, "root.key")
}

// RootKey returns the key that wraps all others: from BONAFIDE_ROOT_KEY, else from its
// file. Where there is neither and dice is given, a new key is written to the file,
// which its owner alone can read, and made is true. Losing it loses every personal value.
func (c *Config) RootKey(dice io.Reader) (key []byte, made bool, err error) {
	if c.rootKey != "" {
		key, err = parseKey(c.rootKey)
		return key, false, err
	}
	path := c.KeyFile()
	text, err := os.ReadFile(path)
	if err == nil {
		if key, err = parseKey(string(text)); err != nil {
			return nil, false, invalid("%s: %v", path, err)
		}
		return key, false, nil
	}
	if !errors.Is(err, fs.ErrNotExist) || dice == nil {
		return nil, false, invalid("the root key cannot be read from %s: without it nothing can be opened", path)
	}
	key = make([]byte, 32)
	if _, err := io.ReadFull(dice, key); err != nil {
		return nil, false, fmt.Errorf("make root key: %w", err)
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, false, invalid("%s cannot be made: %v", filepath.Dir(path), errors.Unwrap(err))
	}
	if err := writeNew(path, []byte(hex.EncodeToString(key)+"\n")); err != nil {
		return nil, false, invalid("the root key cannot be written to %s: %v", path, err)
	}
	return key, true, nil
}

// writeNew writes a file that must not exist, to disk, for its owner alone. Its name is
// on disk too once writeNew returns.
func writeNew(path string, b []byte) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(b)
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	dir, err := os.Open(filepath.Dir(path))
	if err != nil {
		return err
	}
	return errors.Join(dir.Sync(), dir.Close())
}

// parseKey reads 32 bytes in hex or base64.
func parseKey(s string) ([]byte, error) {
	s = strings.TrimSpace(s)
	if b, err := hex.DecodeString(s); err == nil && len(b) == 32 {
		return b, nil
	}
	if b, err := base64.StdEncoding.DecodeString(s); err == nil && len(b) == 32 {
		return b, nil
	}
	return nil, errors.New("not a key of 32 bytes in hex or base64")
}

func invalid(format string, args ...any) error {
	return &bonafide.Error{Kind: bonafide.Invalid, Msg: fmt.Sprintf(format, args...)}
}
