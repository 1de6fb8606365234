package stamp

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rsa"
	"crypto/sha1"
	"crypto/sha256"
	_ "crypto/sha512" // SHA-384 and SHA-512 for crypto.Hash
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/pem"
	"fmt"
	"math/big"
	"time"

	"bonafide"
)

// A Stamp is what a good time-stamp says.
type Stamp struct {
	Time      time.Time           // UTC
	Authority string              // the subject of the certificate that signed
	Serial    string              // the time-stamp's number at that authority, decimal
	Policy    string              // the policy it was made under, as a dotted object identifier
	Accuracy  time.Duration       // how far Time may be off; 0 where the authority does not say
	Chain     []*x509.Certificate // from the certificate that signed to the root
}

var (
	oidSHA256      = asn1.ObjectIdentifier{2, 16, 840, 1, 101, 3, 4, 2, 1}
	oidExtKeyUsage = asn1.ObjectIdentifier{2, 5, 29, 37}
	oidRSA         = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 1, 1}
)

// hashes are the digests that may be signed; SHA-1 is none.
var hashes = map[string]crypto.Hash{
	oidSHA256.String():       crypto.SHA256,
	"2.16.840.1.101.3.4.2.2": crypto.SHA384,
	"2.16.840.1.101.3.4.2.3": crypto.SHA512,
}

// signatures are the algorithms that name their digest.
var signatures = map[string]struct {
	hash crypto.Hash
	rsa  bool
}{
	"1.2.840.113549.1.1.11": {crypto.SHA256, true},
	"1.2.840.113549.1.1.12": {crypto.SHA384, true},
	"1.2.840.113549.1.1.13": {crypto.SHA512, true},
	"1.2.840.10045.4.3.2":   {crypto.SHA256, false},
	"1.2.840.10045.4.3.3":   {crypto.SHA384, false},
	"1.2.840.10045.4.3.4":   {crypto.SHA512, false},
}

// ParseRoots reads root certificates in PEM. Blocks that are no certificates are
// passed over; without any certificate it is an error.
func ParseRoots(b []byte) ([]*x509.Certificate, error) {
	var roots []*x509.Certificate
	for n := 1; ; n++ {
		var block *pem.Block
		if block, b = pem.Decode(b); block == nil {
			break
		}
		if block.Type != "CERTIFICATE" {
			continue
		}
		c, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return nil, &bonafide.Error{Kind: bonafide.Invalid, Msg: fmt.Sprintf("PEM block %d of the root certificates is not a certificate that can be read", n), Err: err}
		}
		roots = append(roots, c)
	}
	if len(roots) == 0 {
		return nil, wrong("there is no root certificate in PEM")
	}
	return roots, nil
}

// Verify checks that token is a time-stamp over data by an authority that roots
// vouch for, at the time it names. The error says what is wrong.
func Verify(token, data []byte, roots []*x509.Certificate) (s Stamp, err error) {
	defer rescue(&err)
	m, err := parse(token)
	if err != nil {
		return Stamp{}, err
	}
	off, err := m.accuracy()
	if err != nil {
		return Stamp{}, err
	}
	if err := m.checkInfo(data); err != nil {
		return Stamp{}, err
	}
	cert, err := m.signedBy(roots)
	if err != nil {
		return Stamp{}, err
	}
	if err := m.checkSignature(cert); err != nil {
		return Stamp{}, err
	}
	chain, err := m.vouched(cert, roots)
	if err != nil {
		return Stamp{}, err
	}
	return Stamp{
		Time:      m.info.Time.UTC(),
		Authority: cert.Subject.String(),
		Serial:    m.info.Serial.String(),
		Policy:    m.info.Policy.String(),
		Accuracy:  off,
		Chain:     chain,
	}, nil
}

// checkInfo checks what the authority says.
func (m *message) checkInfo(data []byte) error {
	if m.info.Version != 1 {
		return wrong(fmt.Sprintf("the time-stamp has version %d instead of 1", m.info.Version))
	}
	if !m.info.Imprint.Algorithm.Algorithm.Equal(oidSHA256) {
		return wrong("the time-stamp is not over a SHA-256: weaker hashes do not count")
	}
	if sum := sha256.Sum256(data); !bytes.Equal(sum[:], m.info.Imprint.Hash) {
		return wrong("the time-stamp is of something else")
	}
	for _, e := range m.info.Extensions {
		if e.Critical {
			return wrong(fmt.Sprintf("the time-stamp has a critical extension that we do not know: %s", e.Id))
		}
	}
	return nil
}

// signedBy returns the certificate that the token names as its signer's: out of
// the token, or of the roots where the authority did not send it along.
func (m *message) signedBy(roots []*x509.Certificate) (*x509.Certificate, error) {
	names := func(*x509.Certificate) bool { return false }
	switch id := m.signer.ID; {
	case id.Class == asn1.ClassContextSpecific && id.Tag == 0:
		names = func(c *x509.Certificate) bool { return len(id.Bytes) > 0 && bytes.Equal(c.SubjectKeyId, id.Bytes) }
	case id.Class == asn1.ClassUniversal && id.Tag == asn1.TagSequence:
		var by struct {
			Issuer asn1.RawValue
			Serial *big.Int
		}
		if rest, err := asn1.Unmarshal(id.FullBytes, &by); err == nil && len(rest) == 0 {
			names = func(c *x509.Certificate) bool {
				return c.SerialNumber.Cmp(by.Serial) == 0 && bytes.Equal(c.RawIssuer, by.Issuer.FullBytes)
			}
		}
	}
	for _, certs := range [][]*x509.Certificate{m.certs, roots} {
		for _, c := range certs {
			if names(c) {
				return c, m.checkESS(c)
			}
		}
	}
	return nil, wrong("the certificate that signed the time-stamp is missing")
}

// An essCertID names a certificate in a signed attribute, so that the signature
// cannot be passed off as that of another certificate with the same key.
type essCertID struct {
	Hash   []byte
	Issuer asn1.RawValue `asn1:"optional"`
}

type essCertIDv2 struct {
	Algorithm pkix.AlgorithmIdentifier `asn1:"optional"` // SHA-256 where it is left out
	Hash      []byte
	Issuer    asn1.RawValue `asn1:"optional"`
}

// checkESS checks that the signing-certificate attributes name c. RFC 3161 asks for
// one; the first certificate of each is the signer's.
func (m *message) checkESS(c *x509.Certificate) error {
	const other = "the time-stamp names another signing certificate than the one it was signed with"
	v1, has1 := m.attributes[oidSigningCert.String()]
	v2, has2 := m.attributes[oidSigningCertV2.String()]
	if !has1 && !has2 {
		return wrong("the time-stamp does not say which certificate signed it")
	}
	if has1 {
		var ids struct {
			Certs    []essCertID
			Policies asn1.RawValue `asn1:"optional"`
		}
		if rest, err := asn1.Unmarshal(v1, &ids); err != nil || len(rest) > 0 || len(ids.Certs) == 0 {
			return wrong(other)
		}
		if sum := sha1.Sum(c.Raw); !bytes.Equal(sum[:], ids.Certs[0].Hash) {
			return wrong(other)
		}
	}
	if has2 {
		var ids struct {
			Certs    []essCertIDv2
			Policies asn1.RawValue `asn1:"optional"`
		}
		if rest, err := asn1.Unmarshal(v2, &ids); err != nil || len(rest) > 0 || len(ids.Certs) == 0 {
			return wrong(other)
		}
		id, h := ids.Certs[0], crypto.SHA256
		if len(id.Algorithm.Algorithm) > 0 {
			h = hashes[id.Algorithm.Algorithm.String()]
		}
		if h == 0 || !bytes.Equal(sum(h, c.Raw), id.Hash) {
			return wrong(other)
		}
	}
	return nil
}

// checkSignature checks that the key of c signed the attributes, and that they name
// the content.
func (m *message) checkSignature(c *x509.Certificate) error {
	h := hashes[m.signer.Digest.Algorithm.String()]
	if h == 0 {
		return wrong("the time-stamp is signed over a hash that does not count: SHA-256, SHA-384 and SHA-512 do")
	}
	var is asn1.ObjectIdentifier
	if _, err := asn1.Unmarshal(m.attributes[oidContentType.String()], &is); err != nil || !is.Equal(oidTSTInfo) {
		return wrong("the signature of the time-stamp is not over a time-stamp")
	}
	var digest []byte
	if _, err := asn1.Unmarshal(m.attributes[oidMessageDigest.String()], &digest); err != nil || !bytes.Equal(digest, sum(h, m.content)) {
		return wrong("the time-stamp was altered: it is not what its signature is over")
	}
	alg, known := signatures[m.signer.Algorithm.Algorithm.String()]
	if !known && m.signer.Algorithm.Algorithm.Equal(oidRSA) {
		alg.hash, alg.rsa, known = h, true, true
	}
	if !known || alg.hash != h {
		return wrong(fmt.Sprintf("the time-stamp is signed by a method that does not count: %s", m.signer.Algorithm.Algorithm))
	}
	if err := checkKey(c); err != nil {
		return err
	}
	signed := bytes.Clone(m.signer.Signed.FullBytes)
	signed[0] = 0x31 // they are signed as a SET: RFC 5652, section 5.4
	ok := false
	switch key := c.PublicKey.(type) {
	case *rsa.PublicKey:
		ok = alg.rsa && rsa.VerifyPKCS1v15(key, h, sum(h, signed), m.signer.Signature) == nil
	case *ecdsa.PublicKey:
		ok = !alg.rsa && ecdsa.VerifyASN1(key, sum(h, signed), m.signer.Signature)
	}
	if !ok {
		return wrong("the signature of the time-stamp does not fit its certificate")
	}
	return nil
}

func sum(h crypto.Hash, b []byte) []byte {
	w := h.New()
	w.Write(b)
	return w.Sum(nil)
}

// checkKey refuses keys that are too weak, or of a kind we do not take.
func checkKey(c *x509.Certificate) error {
	switch key := c.PublicKey.(type) {
	case *rsa.PublicKey:
		if n := key.N.BitLen(); n < 2048 {
			return wrong(fmt.Sprintf("a certificate of the time-stamp has an RSA key of %d bits: 2048 is the least", n))
		}
		return nil
	case *ecdsa.PublicKey:
		if key.Curve == elliptic.P256() || key.Curve == elliptic.P384() {
			return nil
		}
	}
	return wrong("a certificate of the time-stamp has a key of a kind that does not count: RSA, P-256 and P-384 do")
}

// vouched returns the chain from the signer's certificate to a root, as it held at
// the time of the time-stamp.
func (m *message) vouched(c *x509.Certificate, roots []*x509.Certificate) ([]*x509.Certificate, error) {
	if !stampsOnly(c) {
		return nil, wrong("its certificate may not stamp times: it has to be for time-stamping, critically and for nothing else")
	}
	at := m.info.Time
	if at.Before(c.NotBefore) || at.After(c.NotAfter) {
		return nil, wrong("its certificate was not valid at the time of the time-stamp")
	}
	o := x509.VerifyOptions{
		Roots:         x509.NewCertPool(),
		Intermediates: x509.NewCertPool(),
		CurrentTime:   at,
		KeyUsages:     []x509.ExtKeyUsage{x509.ExtKeyUsageTimeStamping},
	}
	for _, r := range roots {
		o.Roots.AddCert(r)
	}
	for _, i := range m.certs {
		o.Intermediates.AddCert(i)
	}
	chains, err := c.Verify(o)
	if err != nil {
		return nil, &bonafide.Error{Kind: bonafide.Invalid, Msg: "no root certificate that we trust vouches for its certificate", Err: err}
	}
	for _, chain := range chains {
		if err = checkKeys(chain); err == nil {
			return chain, nil
		}
	}
	return nil, err
}

func checkKeys(chain []*x509.Certificate) error {
	for _, c := range chain {
		if err := checkKey(c); err != nil {
			return err
		}
	}
	return nil
}

// stampsOnly reports whether c is for time-stamping, critically and for nothing
// else: RFC 3161, section 2.3.
func stampsOnly(c *x509.Certificate) bool {
	if len(c.ExtKeyUsage) != 1 || c.ExtKeyUsage[0] != x509.ExtKeyUsageTimeStamping || len(c.UnknownExtKeyUsage) > 0 {
		return false
	}
	if c.KeyUsage != 0 && c.KeyUsage&(x509.KeyUsageDigitalSignature|x509.KeyUsageContentCommitment) == 0 {
		return false
	}
	for _, e := range c.Extensions {
		if e.Id.Equal(oidExtKeyUsage) {
			return e.Critical
		}
	}
	return false
}
