package stamp

import (
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"fmt"
	"math/big"
	"time"

	"bonafide"
)

var (
	oidSignedData    = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 7, 2}
	oidTSTInfo       = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 16, 1, 4}
	oidContentType   = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 3}
	oidMessageDigest = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 4}
	oidSigningCert   = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 16, 2, 12} // RFC 2634: SHA-1 of the certificate
	oidSigningCertV2 = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 16, 2, 47} // RFC 5035: SHA-256 unless it says otherwise
)

// maxCertificates bounds how many certificates of a token are looked at.
const maxCertificates = 32

// The structures of CMS, RFC 5652, section 5.
type contentInfo struct {
	Type    asn1.ObjectIdentifier
	Content asn1.RawValue `asn1:"explicit,tag:0"` // its Bytes are the SignedData
}

type signedData struct {
	Version      int
	Digests      []pkix.AlgorithmIdentifier `asn1:"set"`
	Content      encapsulated
	Certificates asn1.RawValue `asn1:"optional,tag:0"`
	CRLs         asn1.RawValue `asn1:"optional,tag:1"`
	Signers      []signerInfo  `asn1:"set"`
}

type encapsulated struct {
	Type    asn1.ObjectIdentifier
	Content []byte `asn1:"explicit,optional,tag:0"`
}

type signerInfo struct {
	Version   int
	ID        asn1.RawValue // issuer and serial number, or [0] the key's identifier
	Digest    pkix.AlgorithmIdentifier
	Signed    asn1.RawValue `asn1:"optional,tag:0"`
	Algorithm pkix.AlgorithmIdentifier
	Signature []byte
	Unsigned  asn1.RawValue `asn1:"optional,tag:1"`
}

type attribute struct {
	Type   asn1.ObjectIdentifier
	Values asn1.RawValue `asn1:"set"`
}

// A tstInfo is what the authority signs: RFC 3161, section 2.4.2.
type tstInfo struct {
	Version    int
	Policy     asn1.ObjectIdentifier
	Imprint    imprint
	Serial     *big.Int
	Time       time.Time        `asn1:"generalized"`
	Accuracy   accuracy         `asn1:"optional"`
	Ordering   bool             `asn1:"optional"`
	Nonce      *big.Int         `asn1:"optional"`
	TSA        asn1.RawValue    `asn1:"optional,explicit,tag:0"`
	Extensions []pkix.Extension `asn1:"optional,tag:1"`
}

type imprint struct {
	Algorithm pkix.AlgorithmIdentifier
	Hash      []byte
}

type accuracy struct {
	Seconds int `asn1:"optional"`
	Millis  int `asn1:"optional,tag:0"`
	Micros  int `asn1:"optional,tag:1"`
}

// A message is a token taken apart; nothing of it is checked yet.
type message struct {
	content    []byte // the DER of info
	info       tstInfo
	certs      []*x509.Certificate
	signer     signerInfo
	attributes map[string][]byte // by object identifier: the DER of the one value
}

// parse takes a token apart and accepts nothing but one signer over one TSTInfo.
func parse(token []byte) (*message, error) {
	if len(token) > MaxToken {
		return nil, wrong(fmt.Sprintf("the time-stamp is larger than %d bytes", MaxToken))
	}
	var ci contentInfo
	if rest, err := asn1.Unmarshal(token, &ci); err != nil || len(rest) > 0 {
		return nil, &bonafide.Error{Kind: bonafide.Invalid, Msg: notDER, Err: err}
	}
	if !ci.Type.Equal(oidSignedData) {
		return nil, wrong("the time-stamp is not signed data")
	}
	var sd signedData
	if rest, err := asn1.Unmarshal(ci.Content.Bytes, &sd); err != nil || len(rest) > 0 {
		return nil, &bonafide.Error{Kind: bonafide.Invalid, Msg: notDER, Err: err}
	}
	if !sd.Content.Type.Equal(oidTSTInfo) {
		return nil, wrong("what is signed is not a time-stamp")
	}
	if len(sd.Signers) != 1 {
		return nil, wrong(fmt.Sprintf("the time-stamp has %d signatures instead of one", len(sd.Signers)))
	}
	m := &message{content: sd.Content.Content, signer: sd.Signers[0], attributes: map[string][]byte{}}
	if rest, err := asn1.Unmarshal(m.content, &m.info); err != nil || len(rest) > 0 {
		return nil, &bonafide.Error{Kind: bonafide.Invalid, Msg: "what the time-stamp authority signed cannot be read", Err: err}
	}
	var err error
	if m.certs, err = certificates(sd.Certificates.Bytes); err != nil {
		return nil, err
	}
	return m, m.readAttributes()
}

// certificates reads a CertificateSet. What is not an X.509 certificate, or one
// that Go refuses to read, is passed over: it cannot vouch for anything.
func certificates(b []byte) ([]*x509.Certificate, error) {
	var certs []*x509.Certificate
	for n := 0; len(b) > 0; n++ {
		if n == maxCertificates {
			return nil, wrong(fmt.Sprintf("the time-stamp holds more than %d certificates", maxCertificates))
		}
		var v asn1.RawValue
		rest, err := asn1.Unmarshal(b, &v)
		if err != nil {
			return nil, &bonafide.Error{Kind: bonafide.Invalid, Msg: "the certificates of the time-stamp cannot be read", Err: err}
		}
		if c, err := x509.ParseCertificate(v.FullBytes); err == nil {
			certs = append(certs, c)
		}
		b = rest
	}
	return certs, nil
}

func (m *message) readAttributes() error {
	const unreadable = "the signed attributes of the time-stamp cannot be read"
	for b := m.signer.Signed.Bytes; len(b) > 0; {
		var a attribute
		rest, err := asn1.Unmarshal(b, &a)
		if err != nil {
			return &bonafide.Error{Kind: bonafide.Invalid, Msg: unreadable, Err: err}
		}
		id := a.Type.String()
		if _, twice := m.attributes[id]; twice {
			return wrong("a signed attribute of the time-stamp stands there twice")
		}
		var v asn1.RawValue
		if more, err := asn1.Unmarshal(a.Values.Bytes, &v); err != nil || len(more) > 0 {
			return &bonafide.Error{Kind: bonafide.Invalid, Msg: unreadable, Err: err}
		}
		m.attributes[id] = v.FullBytes
		b = rest
	}
	return nil
}

// accuracy returns how far the time may be off.
func (m *message) accuracy() (time.Duration, error) {
	a := m.info.Accuracy
	if a.Seconds < 0 || a.Seconds > 86400 || a.Millis < 0 || a.Millis > 999 || a.Micros < 0 || a.Micros > 999 {
		return 0, wrong("the time-stamp claims an accuracy that makes no sense")
	}
	return time.Duration(a.Seconds)*time.Second + time.Duration(a.Millis)*time.Millisecond + time.Duration(a.Micros)*time.Microsecond, nil
}
