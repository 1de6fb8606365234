package outbox

import (
	"bufio"
	"encoding/json"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"bonafide"
)

var question = bonafide.Message{
	ID: "V1", Way: bonafide.ByEmail, To: "someone@mail.example", Lang: "zh", Subject: "一个问题", Text: "https://lender.example/confirm/x\n123456",
	Made: time.Date(2026, 5, 1, 0, 0, 0, 0, time.UTC), Expires: time.Date(2026, 5, 4, 0, 0, 0, 0, time.UTC),
}

func TestFolderKeepsNobodyElsesHandsIn(t *testing.T) {
	now := question.Expires.Add(-time.Hour)
	f := Folder{Dir: filepath.Join(t.TempDir(), "outbox"), Now: func() time.Time { return now }}
	if err := f.Send(t.Context(), question); err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob(f.Dir + "/*")
	if err != nil || len(files) != 1 {
		t.Fatal(files, err)
	}
	st, err := os.Stat(files[0])
	if err != nil || st.Mode().Perm() != 0o600 {
		t.Errorf("the file: %v, %v", st.Mode(), err)
	}
	if st, err = os.Stat(f.Dir); err != nil || st.Mode().Perm() != 0o700 {
		t.Errorf("the folder: %v, %v", st.Mode(), err)
	}
	b, err := os.ReadFile(files[0])
	var got bonafide.Message
	if err != nil || json.Unmarshal(b, &got) != nil || got != question {
		t.Errorf("the message: %s, %v", b, err)
	}
	// With the next message those go whose questions have expired.
	now = question.Expires.Add(time.Minute)
	later := question
	later.ID, later.Expires = "V2", now.Add(time.Hour)
	if err := f.Send(t.Context(), later); err != nil {
		t.Fatal(err)
	}
	if files, err = filepath.Glob(f.Dir + "/*"); err != nil || len(files) != 1 || !strings.Contains(files[0], "V2") {
		t.Errorf("left: %v, %v", files, err)
	}
	evil := question
	evil.ID = "../../etc/x"
	if err := f.Send(t.Context(), evil); err != nil {
		t.Fatal(err)
	}
	if out, err := filepath.Glob(filepath.Dir(f.Dir) + "/*"); err != nil || len(out) != 1 {
		t.Errorf("written outside of the folder: %v, %v", out, err)
	}
}

func TestHook(t *testing.T) {
	var auth string
	var got bonafide.Message
	status := http.StatusAccepted
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		auth = r.Header.Get("Authorization")
		_ = json.NewDecoder(r.Body).Decode(&got)
		w.WriteHeader(status)
	}))
	defer s.Close()
	h := Hook{URL: s.URL + "/send?tenant=secret", Secret: "token"}
	if err := h.Send(t.Context(), question); err != nil || auth != "Bearer token" || got != question {
		t.Errorf("%v, %q, %+v", err, auth, got)
	}
	status = http.StatusFound
	if err := h.Send(t.Context(), question); err == nil || strings.Contains(err.Error(), "secret") {
		t.Errorf("a redirect: %v", err)
	}
	s.Close()
	if err := h.Send(t.Context(), question); err == nil || strings.Contains(err.Error(), "secret") {
		t.Errorf("nobody there: %v", err)
	}
}

// mailServer takes one mail and returns it.
func mailServer(t *testing.T) (addr string, mail <-chan string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	out := make(chan string, 1)
	go func() {
		c, err := l.Accept()
		if err != nil {
			return
		}
		defer c.Close()
		say := func(s string) { _, _ = c.Write([]byte(s + "\r\n")) }
		say("220 here")
		var all strings.Builder
		in, data := bufio.NewScanner(c), false
		for in.Scan() {
			line := in.Text()
			all.WriteString(line + "\n")
			switch {
			case data && line == ".":
				data = false
				say("250 taken")
			case data:
			case strings.HasPrefix(line, "DATA"):
				data = true
				say("354 go on")
			case strings.HasPrefix(line, "QUIT"):
				say("221 bye")
				out <- all.String()
				return
			default:
				say("250 fine")
			}
		}
		out <- all.String()
	}()
	return l.Addr().String(), out
}

func TestSMTP(t *testing.T) {
	addr, mail := mailServer(t)
	s := SMTP{Addr: addr, From: "lender@lender.example", Plain: true, PhoneDomain: "sms.example"}
	phone := question
	phone.Way, phone.To = bonafide.ByPhone, "+44 7700 900123"
	if err := s.Send(t.Context(), phone); err != nil {
		t.Fatal(err)
	}
	got := <-mail
	for _, want := range []string{"RCPT TO:<+447700900123@sms.example>", "Subject: =?utf-8?q?", "https://lender.example/confirm/x", "Auto-Submitted: auto-generated"} {
		if !strings.Contains(got, want) {
			t.Errorf("the mail lacks %q:\n%s", want, got)
		}
	}
	for name, bad := range map[string]SMTP{
		"no way to a phone": {Addr: addr, From: "lender@lender.example", Plain: true},
		"no TLS":            {Addr: addr, From: "lender@lender.example", PhoneDomain: "sms.example"},
	} {
		if name == "no TLS" {
			bad.Addr, _ = mailServer(t)
		}
		if err := bad.Send(t.Context(), phone); err == nil {
			t.Errorf("%s: sent", name)
		}
	}
	split := question
	split.To = "a@mail.example\r\nBcc: b@mail.example"
	if err := s.Send(t.Context(), split); err == nil {
		t.Error("a header was smuggled in")
	}
}
