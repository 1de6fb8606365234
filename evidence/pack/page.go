package pack

import (
	"bytes"
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strings"
	"sync"
)

// The parts of VERIFY.html. verify.js is the verifier and knows of no page; page.js is
// the page.
var (
	//go:embed verify/verify.html
	pageHTML string
	//go:embed verify/verify.css
	pageCSS string
	//go:embed verify/verify.js
	verifyJS string
	//go:embed verify/page.js
	pageJS string
)

// Page returns VERIFY.html, the page that checks packs in a browser. It is the same in
// every pack of one version: give it, or its SHA-256, to readers over another channel.
func Page() []byte { return bytes.Clone(page()) }

var page = sync.OnceValue(func() []byte {
	var words bytes.Buffer
	json.HTMLEscape(&words, wordsJSON)
	script := verifyJS + "const words = " + strings.TrimSpace(words.String()) + ";\n" + pageJS
	policy := fmt.Sprintf("default-src 'none'; base-uri 'none'; form-action 'none'; script-src %s; style-src %s", source(script), source(pageCSS))
	return []byte(strings.NewReplacer("{policy}", policy, "{style}", pageCSS, "{script}", script).Replace(pageHTML))
})

// source names a script or a style in a content security policy.
func source(s string) string {
	sum := sha256.Sum256([]byte(s))
	return "'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"
}
