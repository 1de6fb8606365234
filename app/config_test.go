package app

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"bonafide/internal/testdb"
)

func TestLaterSettingsUnsetEarlierOnes(t *testing.T) {
	file := filepath.Join(t.TempDir(), "own.toml")
	if err := os.WriteFile(file, []byte("behind_proxy = true\nkafka_tls = true\notlp = \"http://h:1\"\nlisten = \"127.0.0.1:1\"\nmetrics = \"127.0.0.1:2\"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	c := Defaults()
	if err := c.Read(file); err != nil {
		t.Fatal(err)
	}
	env := map[string]string{"BONAFIDE_BEHIND_PROXY": "", "BONAFIDE_OTLP": "", "BONAFIDE_LISTEN": ""}
	if err := c.Environ(func(name string) (string, bool) { s, ok := env[name]; return s, ok }); err != nil {
		t.Fatal(err)
	}
	c.Overlay(Config{Data: "not given"}, []string{"kafka_tls", "metrics", "kafka_in"})
	if c.BehindProxy || c.OTLP != "" || c.KafkaTLS || c.Metrics != "" || c.KafkaIn != "" {
		t.Errorf("still set: %+v", c)
	}
	if d := Defaults(); c.Listen != d.Listen || c.Data != d.Data || c.KafkaOut != d.KafkaOut {
		t.Errorf("not the defaults: %+v", c)
	}
}

func TestAddressesShowNoPassword(t *testing.T) {
	for in, want := range map[string]string{
		"postgres://u:p@ss-SECRET@h/x":          "postgres://u@h/x",
		"postgres://u@h:5432/x?password=SECRET": "postgres://u@h:5432/x",
		"postgresql://h/x":                      "postgresql://h/x",
		"postgres://u:12/SECRET@h/x":            "",
		"postgres://u:12?SECRET@h/x":            "",
		"postgres://u:12#SECRET@h/x":            "",
		"postgres://u:SEC%RET@h/x":              "",
		"postgres:u:SECRET@h":                   "",
		"POSTGRES://u:SECRET@h/x":               "",
		"postgres:///x?password=SECRET":         "",
		"host=h user=u password=SECRET":         "",
		"user=u PASSWORD=SECRET":                "",
	} {
		c := Defaults()
		c.DB, c.Data = in, t.TempDir()
		err := c.Check()
		if (err == nil) != (want != "") || err != nil && strings.Contains(err.Error(), "SEC") {
			t.Errorf("%s: %v", in, err)
		}
		if want == "" {
			if _, err := Open(t.Context(), c, true); err == nil || strings.Contains(err.Error(), "SEC") {
				t.Errorf("open %s: %v", in, err)
			}
		}
		got, _ := c.Shown()
		if want != "" && got != want || strings.Contains(got, "SEC") {
			t.Errorf("%s is shown as %s", in, got)
		}
	}
	c := Defaults()
	c.OTLP = "https://me:SECRET@h:1/v1?key=SECRET"
	if _, got := c.Shown(); got != "https://h:1/v1" {
		t.Errorf("otlp is shown as %s", got)
	}
}

func TestKafkaDirectionIsLeftOut(t *testing.T) {
	for _, row := range []struct {
		in, out string
		want    int
	}{{"i", "o", 2}, {"i", "", 1}, {"", "o", 1}, {"", "", -1}} {
		c := Defaults()
		without := len((&App{cfg: c}).others())
		c.KafkaBrokers, c.KafkaIn, c.KafkaOut = "h:1", row.in, row.out
		if err := c.Check(); (err != nil) != (row.want < 0) {
			t.Errorf("%+v: %v", row, err)
		}
		if n := len((&App{cfg: c}).others()) - without; row.want >= 0 && n != row.want {
			t.Errorf("%+v: %d loops", row, n)
		}
	}
}

// A key that was just made was removed when the database could not be opened, though
// another process might run under it.
func TestNewRootKeyStays(t *testing.T) {
	c := Defaults()
	c.Data = t.TempDir()
	c.DB = "postgres://nobody@127.0.0.1:1/none?connect_timeout=1"
	_, err := Open(t.Context(), c, true)
	if err == nil || !strings.Contains(err.Error(), "a new one was written to "+c.KeyFile()) {
		t.Errorf("%v", err)
	}
	if _, _, err := c.RootKey(nil); err != nil {
		t.Error(err)
	}
}

func TestNewRootKeyOfAnotherDatabaseIsNamed(t *testing.T) {
	c := Defaults()
	c.DB, c.Data = testdb.Postgres(t), t.TempDir()
	db, err := Open(t.Context(), c, true)
	if err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	c.Data = t.TempDir()
	_, err = Open(t.Context(), c, true)
	if err == nil || !strings.Contains(err.Error(), "this is not the root key") || !strings.Contains(err.Error(), c.KeyFile()) {
		t.Errorf("%v", err)
	}
}

func TestCheckpointFileStaysInItsDirectory(t *testing.T) {
	if got := checkpointFile("main"); got != "checkpoints-main.txt" {
		t.Error(got)
	}
	if got := checkpointFile("../evil"); got != filepath.Base(got) {
		t.Error(got)
	}
	if got := checkpointFile("a\\b"); strings.Contains(got, "\\") {
		t.Error(got)
	}
}
