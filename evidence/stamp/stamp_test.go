package stamp

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/asn1"
	"errors"
	"flag"
	"io"
	"math/big"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/digitorus/timestamp"
	"github.com/google/go-cmp/cmp"

	"bonafide"
	"bonafide/internal/tsa"
)

var data = []byte("the pack that was sealed\n")

func newTSA(t testing.TB, o ...tsa.Option) (*tsa.Authority, []*x509.Certificate) {
	t.Helper()
	a, err := tsa.New(rand.Reader, time.Now, o...)
	if err != nil {
		t.Fatal(err)
	}
	roots, err := ParseRoots(a.Roots)
	if err != nil {
		t.Fatal(err)
	}
	return a, roots
}

func stampOf(t testing.TB, a *tsa.Authority) []byte {
	t.Helper()
	token, err := a.Stamp(data)
	if err != nil {
		t.Fatal(err)
	}
	return token
}

func TestRequestIsAnsweredAndVerified(t *testing.T) {
	for _, o := range [][]tsa.Option{nil, {tsa.WithRSA()}} {
		a, roots := newTSA(t, o...)
		query, nonce, err := Request(rand.Reader, data)
		if err != nil {
			t.Fatal(err)
		}
		client := http.Client{Transport: a}
		res, err := client.Post("http://tsa.example/", tsa.QueryType, bytes.NewReader(query))
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		if got := res.Header.Get("Content-Type"); got != tsa.ReplyType {
			t.Errorf("content type %q", got)
		}
		answer, err := io.ReadAll(res.Body)
		if err != nil {
			t.Fatal(err)
		}
		token, err := Token(answer, nonce)
		if err != nil {
			t.Fatal(err)
		}
		s, err := Verify(token, data, roots)
		if err != nil {
			t.Fatal(err)
		}
		if d := time.Since(s.Time); d < 0 || d > time.Minute {
			t.Errorf("stamped at %v", s.Time)
		}
		if !strings.Contains(s.Authority, "trust them not") || s.Serial != "1" || s.Policy != "2.999.3161.1" || s.Accuracy != time.Second || len(s.Chain) != 2 {
			t.Errorf("Verify = %+v", s)
		}
		// A second opinion about what the token says.
		other, err := timestamp.Parse(token)
		if err != nil {
			t.Fatal(err)
		}
		if !other.Time.Equal(s.Time) || other.SerialNumber.String() != s.Serial || other.Nonce.Cmp(nonce) != 0 {
			t.Errorf("the library reads %+v", other)
		}
		if _, err := Token(answer, new(big.Int).Add(nonce, big.NewInt(1))); err == nil || !strings.Contains(err.Error(), "another request") {
			t.Errorf("another nonce: %v", err)
		}
	}
}

func TestTokenTellsWhyItWasRefused(t *testing.T) {
	a, _ := newTSA(t)
	none, err := asn1.Marshal(struct{ S struct{ N int } }{})
	if err != nil {
		t.Fatal(err)
	}
	busy, err := asn1.Marshal(response{Status: status{Status: 2, Fail: asn1.BitString{Bytes: []byte{0, 2}, BitLength: 15}}})
	if err != nil {
		t.Fatal(err)
	}
	rejected, err := a.Reply([]byte("no query"))
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name, want string
		kind       bonafide.Kind
		b          []byte
	}{
		{"rejected", "cannot read the request", bonafide.Invalid, rejected},
		{"no clock", "clock is not available", bonafide.Busy, busy},
		{"nothing in it", "holds no time-stamp", bonafide.Invalid, none},
		{"no DER", "not a time-stamp response", bonafide.Invalid, []byte("<html>")},
		{"too large", "larger than", bonafide.Invalid, make([]byte, MaxToken+1)},
	} {
		_, err := Token(c.b, nil)
		if !errors.Is(err, c.kind) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q of kind %s", c.name, err, c.want, c.kind)
		}
	}
}

// edit takes a token apart, lets change alter the pieces, and writes it again.
func edit(t *testing.T, token []byte, change func(*signedData)) []byte {
	t.Helper()
	var ci contentInfo
	var sd signedData
	if _, err := asn1.Unmarshal(token, &ci); err != nil {
		t.Fatal(err)
	}
	if _, err := asn1.Unmarshal(ci.Content.Bytes, &sd); err != nil {
		t.Fatal(err)
	}
	change(&sd)
	b, err := asn1.Marshal(struct {
		Type    asn1.ObjectIdentifier
		Content signedData `asn1:"explicit,tag:0"`
	}{ci.Type, sd})
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestVerifyRefusesForgeries(t *testing.T) {
	good, roots := newTSA(t)
	token := stampOf(t, good)
	if _, err := Verify(token, data, roots); err != nil {
		t.Fatal(err)
	}
	if _, err := Verify(edit(t, token, func(*signedData) {}), data, roots); err != nil {
		t.Fatalf("taken apart and put together: %v", err)
	}
	other, _ := newTSA(t)
	foreign := stampOf(t, other)
	later := stampOf(t, good)
	content := func(token []byte) []byte {
		var c []byte
		edit(t, token, func(sd *signedData) { c = sd.Content.Content })
		return c
	}
	for _, c := range []struct {
		name, want  string
		token, data []byte
	}{
		{"other data", "of something else", token, []byte("the pack that was swapped\n")},
		{"no data", "of something else", token, nil},
		{"an authority of a stranger", "no root certificate", foreign, data},
		{"cut short", "not a time-stamp token", token[:len(token)-1], data},
		{"something behind it", "not a time-stamp token", append(bytes.Clone(token), 0), data},
		{"empty", "not a time-stamp token", nil, data},
		{"too large", "larger than", make([]byte, MaxToken+1), data},
		{"another time-stamp's content", "was altered", edit(t, token, func(sd *signedData) { sd.Content.Content = content(later) }), data},
		{"no signature", "0 signatures", edit(t, token, func(sd *signedData) { sd.Signers = nil }), data},
		{"two signatures", "2 signatures", edit(t, token, func(sd *signedData) { sd.Signers = append(sd.Signers, sd.Signers[0]) }), data},
		{"not a time-stamp", "not a time-stamp", edit(t, token, func(sd *signedData) { sd.Content.Type = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 7, 1} }), data},
		{"no signed attributes", "which certificate", edit(t, token, func(sd *signedData) { sd.Signers[0].Signed = asn1.RawValue{} }), data},
		{"no certificate", "is missing", edit(t, token, func(sd *signedData) { sd.Certificates = asn1.RawValue{} }), data},
		{"attributes altered", "does not fit", edit(t, token, func(sd *signedData) {
			sd.Signers[0].Signed = asn1.RawValue{FullBytes: swapAttributes(t, sd.Signers[0].Signed.FullBytes)}
		}), data},
		{"signature altered", "does not fit", edit(t, token, func(sd *signedData) { sd.Signers[0].Signature[10] ^= 1 }), data},
		{"signed over SHA-1", "hash that does not count", edit(t, token, func(sd *signedData) {
			sd.Signers[0].Digest.Algorithm = asn1.ObjectIdentifier{1, 3, 14, 3, 2, 26}
		}), data},
		{"another method", "method that does not count", edit(t, token, func(sd *signedData) {
			sd.Signers[0].Algorithm.Algorithm = asn1.ObjectIdentifier{1, 2, 840, 10045, 4, 3, 4}
		}), data},
	} {
		s, err := Verify(c.token, c.data, roots)
		if !errors.Is(err, bonafide.Invalid) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, %v, want %q", c.name, s, err, c.want)
		}
	}
	for _, c := range []struct {
		name, want string
		option     tsa.Option
	}{
		{"certificate for servers", "may not stamp times", tsa.WithWrongUsage()},
		{"usage not critical", "may not stamp times", tsa.WithMildUsage()},
		{"usage for more", "may not stamp times", tsa.WithBroadUsage()},
		{"expired certificate", "not valid at the time", tsa.WithExpired()},
		{"other root of the same name", "no root certificate", tsa.WithOtherRoot()},
		{"SHA-1", "not over a SHA-256", tsa.WithSHA1()},
		{"names no certificate", "does not say which certificate", tsa.WithoutSigningCertificate()},
		{"names another certificate", "names another signing certificate", tsa.WithOtherSigningCertificate()},
	} {
		a, roots := newTSA(t, c.option)
		s, err := Verify(stampOf(t, a), data, roots)
		if !errors.Is(err, bonafide.Invalid) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, %v, want %q", c.name, s, err, c.want)
		}
	}
	if _, err := Verify(token, data, nil); err == nil {
		t.Error("without roots: no error")
	}
}

// swapAttributes exchanges the first two signed attributes, so that they say the
// same and are other bytes.
func swapAttributes(t *testing.T, signed []byte) []byte {
	t.Helper()
	var set, a, b asn1.RawValue
	if _, err := asn1.Unmarshal(signed, &set); err != nil {
		t.Fatal(err)
	}
	rest, err := asn1.Unmarshal(set.Bytes, &a)
	if err != nil {
		t.Fatal(err)
	}
	if rest, err = asn1.Unmarshal(rest, &b); err != nil {
		t.Fatal(err)
	}
	out := bytes.Clone(signed[:len(signed)-len(set.Bytes)])
	return append(append(append(out, b.FullBytes...), a.FullBytes...), rest...)
}

// Whatever byte of a token is changed, it is refused or says the same.
func TestVerifyHoldsForEveryByte(t *testing.T) {
	a, roots := newTSA(t)
	token := stampOf(t, a)
	want, err := Verify(token, data, roots)
	if err != nil {
		t.Fatal(err)
	}
	passed := 0
	for i := range token {
		for _, x := range []byte{1, 0x80, 0xff} {
			b := bytes.Clone(token)
			b[i] ^= x
			got, err := Verify(b, data, roots)
			if err != nil {
				continue
			}
			passed++
			if d := cmp.Diff(said(want), said(got)); d != "" {
				t.Errorf("byte %d (-want +got):\n%s", i, d)
			}
		}
	}
	if passed > len(token)/8 { // versions and the set of digests are not signed
		t.Errorf("%d of %d changes passed", passed, 3*len(token))
	}
	t.Logf("%d of %d changes to a token of %d bytes pass and say the same", passed, 3*len(token), len(token))
}

// said is the stamp without its certificates, which cmp cannot compare.
func said(s Stamp) Stamp {
	s.Chain = nil
	return s
}

func TestCheckKeyRefusesWeakKeys(t *testing.T) {
	weak, err := rsa.GenerateKey(rand.Reader, 1024)
	if err != nil {
		t.Skip("no weak key is to be had: ", err)
	}
	odd, err := ecdsa.GenerateKey(elliptic.P521(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		want string
		key  any
	}{{"1024 bits", weak.Public()}, {"does not count", odd.Public()}, {"does not count", nil}} {
		if err := checkKey(&x509.Certificate{PublicKey: c.key}); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%T: %v, want %q", c.key, err, c.want)
		}
	}
}

func TestParseRoots(t *testing.T) {
	for _, s := range []string{"", "no PEM", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", "-----BEGIN X-----\nAAAA\n-----END X-----\n"} {
		if _, err := ParseRoots([]byte(s)); !errors.Is(err, bonafide.Invalid) {
			t.Errorf("ParseRoots(%q): %v", s, err)
		}
	}
}

// openssl runs OpenSSL in dir and returns what it printed.
func openssl(t *testing.T, dir string, args ...string) (string, error) {
	t.Helper()
	path, err := exec.LookPath("openssl")
	if err != nil {
		t.Skip("openssl is not installed")
	}
	cmd := exec.Command(path, args...)
	cmd.Dir = dir
	out, err := cmd.CombinedOutput()
	return string(out), err
}

func write(t *testing.T, dir, name string, b []byte) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(dir, name), b, 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestOpenSSLVerifiesOurs(t *testing.T) {
	for name, o := range map[string][]tsa.Option{"P-256": nil, "RSA": {tsa.WithRSA()}} {
		dir := t.TempDir()
		a, _ := newTSA(t, o...)
		query, nonce, err := Request(rand.Reader, data)
		if err != nil {
			t.Fatal(err)
		}
		answer, err := a.Reply(query)
		if err != nil {
			t.Fatal(err)
		}
		token, err := Token(answer, nonce)
		if err != nil {
			t.Fatal(err)
		}
		wrapped, err := Response(token)
		if err != nil {
			t.Fatal(err)
		}
		write(t, dir, "pack", data)
		write(t, dir, "other", []byte("other"))
		write(t, dir, "query.tsq", query)
		write(t, dir, "answer.tsr", answer)
		write(t, dir, "timestamp.tsr", wrapped)
		write(t, dir, "timestamp.der", token)
		write(t, dir, "root.pem", a.Roots)
		for _, args := range []string{
			"-queryfile query.tsq -in answer.tsr",
			"-data pack -in answer.tsr",
			"-data pack -in timestamp.tsr",
			"-data pack -in timestamp.der -token_in",
		} {
			out, err := openssl(t, dir, append([]string{"ts", "-verify", "-CAfile", "root.pem"}, strings.Fields(args)...)...)
			if err != nil || !strings.Contains(out, "Verification: OK") {
				t.Errorf("%s: %s: %v\n%s", name, args, err, out)
			}
		}
		if out, err := openssl(t, dir, "ts", "-verify", "-CAfile", "root.pem", "-data", "other", "-in", "timestamp.tsr"); err == nil {
			t.Errorf("%s: openssl takes it for a stamp of other data:\n%s", name, out)
		}
	}
}

func TestResponseRefusesWhatIsNoDER(t *testing.T) {
	for _, b := range [][]byte{nil, {1}, []byte("-----BEGIN"), {5, 0, 0}} {
		if _, err := Response(b); !errors.Is(err, bonafide.Invalid) {
			t.Errorf("Response(%x): %v", b, err)
		}
	}
}

const opensslConfig = `
[req]
distinguished_name = dn
prompt = no
[dn]
CN = An authority of OpenSSL
[root]
basicConstraints = critical, CA:true
keyUsage = critical, keyCertSign
[good]
extendedKeyUsage = critical, timeStamping
keyUsage = critical, digitalSignature
[tsa]
default_tsa = tsa1
[tsa1]
serial = serial
crypto_device = builtin
default_policy = 1.2.3.4.1
digests = sha1, sha256
accuracy = secs:1, millisecs:500, microsecs:100
ordering = yes
tsa_name = yes
ess_cert_id_chain = no
`

func TestWeVerifyOpenSSLs(t *testing.T) {
	rsa2048 := "-algorithm RSA -pkeyopt rsa_keygen_bits:2048"
	for _, c := range []struct {
		name, key, digest, ess string
		want                   string // of the error, or "" where it is good
	}{
		{"RSA", rsa2048, "sha256", "sha256", ""},
		{"RSA, SHA-512, named by SHA-1", rsa2048, "sha512", "sha1", ""},
		{"P-384, SHA-384", "-algorithm EC -pkeyopt ec_paramgen_curve:P-384", "sha384", "sha384", ""},
		{"P-256", "-algorithm EC -pkeyopt ec_paramgen_curve:P-256", "sha256", "sha256", ""},
		{"P-521", "-algorithm EC -pkeyopt ec_paramgen_curve:P-521", "sha256", "sha256", "kind that does not count"},
		{"RSA of 1024 bits", "-algorithm RSA -pkeyopt rsa_keygen_bits:1024", "sha256", "sha256", "1024 bits"},
		{"signed over SHA-1", rsa2048, "sha1", "sha256", "hash that does not count"},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := t.TempDir()
			query, nonce, err := Request(rand.Reader, data)
			if err != nil {
				t.Fatal(err)
			}
			write(t, dir, "query.tsq", query)
			write(t, dir, "serial", []byte("1234\n"))
			write(t, dir, "ts.cnf", []byte(opensslConfig+"signer_digest = "+c.digest+"\ness_cert_id_alg = "+c.ess+"\n"))
			for _, args := range []string{
				"genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out root.key",
				"req -x509 -new -key root.key -config ts.cnf -extensions root -days 30 -out root.pem",
				"genpkey " + c.key + " -out tsa.key",
				"req -new -key tsa.key -config ts.cnf -subj /CN=Stamps -out tsa.csr",
				"x509 -req -in tsa.csr -CA root.pem -CAkey root.key -set_serial 7 -days 30 -extfile ts.cnf -extensions good -out tsa.pem",
				"ts -reply -config ts.cnf -queryfile query.tsq -signer tsa.pem -inkey tsa.key -out answer.tsr",
			} {
				if out, err := openssl(t, dir, strings.Fields(args)...); err != nil {
					t.Fatalf("openssl %s: %v\n%s", args, err, out)
				}
			}
			answer, err := os.ReadFile(filepath.Join(dir, "answer.tsr"))
			if err != nil {
				t.Fatal(err)
			}
			root, err := os.ReadFile(filepath.Join(dir, "root.pem"))
			if err != nil {
				t.Fatal(err)
			}
			roots, err := ParseRoots(root)
			if err != nil {
				t.Fatal(err)
			}
			token, err := Token(answer, nonce)
			if err != nil {
				t.Fatal(err)
			}
			s, err := Verify(token, data, roots)
			if c.want != "" {
				if err == nil || !strings.Contains(err.Error(), c.want) {
					t.Errorf("Verify: %v, want %q", err, c.want)
				}
				return
			}
			if err != nil {
				t.Fatalf("%v: %v", err, errors.Unwrap(err))
			}
			want := Stamp{Time: s.Time, Authority: "CN=Stamps", Serial: "4661", Policy: "1.2.3.4.1", Accuracy: 1500100 * time.Microsecond}
			if d := cmp.Diff(want, said(s)); d != "" || time.Since(s.Time) > time.Minute || len(s.Chain) != 2 {
				t.Errorf("Verify at %v, %d certificates (-want +got):\n%s", s.Time, len(s.Chain), d)
			}
		})
	}
}

var update = flag.Bool("update", false, "renew the files in testdata")

// fixed returns a token over data that is the same in every process, so that what
// is found by fuzzing can be found again, and its roots.
func fixed(t testing.TB) (token []byte, roots []*x509.Certificate) {
	t.Helper()
	if *update {
		a, _ := newTSA(t)
		if err := errors.Join(os.WriteFile("testdata/token.der", stampOf(t, a), 0o600), os.WriteFile("testdata/root.pem", a.Roots, 0o600)); err != nil {
			t.Fatal(err)
		}
	}
	token, err := os.ReadFile("testdata/token.der")
	if err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile("testdata/root.pem")
	if err != nil {
		t.Fatal(err)
	}
	if roots, err = ParseRoots(b); err != nil {
		t.Fatal(err)
	}
	return token, roots
}

func FuzzVerify(f *testing.F) {
	token, roots := fixed(f)
	want, err := Verify(token, data, roots)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(token)
	f.Add(token[:len(token)/2])
	f.Add([]byte{0x30, 0x80})
	f.Fuzz(func(t *testing.T, b []byte) {
		if s, err := Verify(b, data, roots); err == nil && !cmp.Equal(said(want), said(s)) {
			t.Errorf("Verify(%x) = %+v", b, s)
		}
		_, _ = Token(b, nil)
		if r, err := Response(b); err == nil {
			_, _ = Token(r, nil)
		}
	})
}
