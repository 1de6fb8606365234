package console

import (
	"bytes"
	"context"
	"errors"
	"io"
	"maps"
	"mime/multipart"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/net/html"

	"bonafide"
)

// A client is a browser of somebody.
type client struct {
	o    *office
	http *http.Client
	head http.Header // of every request
	raw  bool        // answers are not looked through
}

func (o *office) client() *client {
	jar, err := cookiejar.New(nil)
	if err != nil {
		o.t.Fatal(err)
	}
	dial := &net.Dialer{}
	c := &client{o: o, head: http.Header{"Sec-Fetch-Site": {"same-origin"}}}
	c.http = &http.Client{
		Jar: jar, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }, Timeout: 90 * time.Second,
		Transport: &http.Transport{DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
			return dial.DialContext(ctx, network, o.srv.Listener.Addr().String())
		}},
	}
	o.t.Cleanup(c.http.CloseIdleConnections)
	return c
}

// signIn signs somebody in through the form.
func (o *office) signIn(p bonafide.Person) *client {
	o.t.Helper()
	c := o.client()
	c.post("/sign-in", url.Values{"login": {p.Login}, "password": {officePassword}}).want(http.StatusSeeOther)
	return c
}

// A reply is what came back.
type reply struct {
	t      *testing.T
	what   string // of the request
	Status int
	Header http.Header
	Body   string
	Doc    *html.Node // of a page
}

func (c *client) get(path string) *reply { c.o.t.Helper(); return c.do(http.MethodGet, path, nil, "") }

func (c *client) post(path string, form url.Values) *reply {
	c.o.t.Helper()
	return c.do(http.MethodPost, path, strings.NewReader(form.Encode()), "application/x-www-form-urlencoded")
}

func (c *client) upload(path, name, content string) *reply {
	c.o.t.Helper()
	var b bytes.Buffer
	m := multipart.NewWriter(&b)
	f, err := m.CreateFormFile("file", name)
	if err == nil {
		_, err = f.Write([]byte(content))
	}
	if err := errors.Join(err, m.Close()); err != nil {
		c.o.t.Fatal(err)
	}
	return c.do(http.MethodPost, path, &b, m.FormDataContentType())
}

func (c *client) do(method, path string, body io.Reader, kind string) *reply {
	t := c.o.t
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 90*time.Second)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, method, c.o.srv.URL+path, body)
	if err != nil {
		t.Fatal(err)
	}
	maps.Copy(r.Header, c.head)
	if kind != "" {
		r.Header.Set("Content-Type", kind)
	}
	res, err := c.http.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	a := &reply{t: t, what: method + " " + path, Status: res.StatusCode, Header: res.Header, Body: string(b)}
	if strings.HasPrefix(res.Header.Get("Content-Type"), "text/html") {
		if a.Doc, err = html.Parse(bytes.NewReader(b)); err != nil {
			t.Fatal(err)
		}
	}
	if !c.raw {
		a.sound()
	}
	return a
}

func (a *reply) want(status int) *reply {
	a.t.Helper()
	if a.Status != status {
		a.t.Fatalf("%s: %d, want %d: %s", a.what, a.Status, status, a.says())
	}
	return a
}

// leads is where the answer sends the browser.
func (a *reply) leads() string {
	a.t.Helper()
	return a.want(http.StatusSeeOther).Header.Get("Location")
}

// says is what stands on the page, without the frame.
func (a *reply) says() string {
	if a.Doc == nil {
		return a.Body
	}
	var b strings.Builder
	a.each(func(n *html.Node) {
		if n.Type == html.TextNode && within(n, "main") && strings.TrimSpace(n.Data) != "" {
			b.WriteString(strings.TrimSpace(n.Data) + " | ")
		}
	})
	return b.String()
}

func (a *reply) each(visit func(*html.Node)) {
	if a.Doc != nil {
		for n := range a.Doc.Descendants() {
			visit(n)
		}
	}
}

func within(n *html.Node, names ...string) bool {
	for p := n.Parent; p != nil; p = p.Parent {
		if p.Type == html.ElementNode && slices.Contains(names, p.Data) {
			return true
		}
	}
	return false
}

func attr(n *html.Node, name string) string {
	for _, a := range n.Attr {
		if a.Key == name {
			return a.Val
		}
	}
	return ""
}

// own are the elements and attributes that the templates themselves have.
var own = sync.OnceValue(func() map[string]bool {
	out := map[string]bool{"html": true, "head": true, "body": true, "tbody": true}
	names, err := filepath.Glob("templates/*.html")
	if err != nil {
		panic(err)
	}
	for _, name := range names {
		b, err := os.ReadFile(name)
		if err != nil {
			panic(err)
		}
		z := html.NewTokenizer(strings.NewReader(action.ReplaceAllString(string(b), "")))
		for z.Next() != html.ErrorToken {
			if tok := z.Token(); tok.Type == html.StartTagToken || tok.Type == html.SelfClosingTagToken {
				out[strings.ToLower(tok.Data)] = true
				for _, a := range tok.Attr {
					out[strings.ToLower(tok.Data)+" "+strings.ToLower(a.Key)] = true
				}
			}
		}
	}
	return out
})

// turning are the marks that change the direction of what follows.
var turning = regexp.MustCompile("[\u202A-\u202E\u2066-\u2069\u200E\u200F\u061C]")

// mostPage is how large a page gets.
const mostPage = 300_000

// sound looks through an answer for what no answer of the console may have.
func (a *reply) sound() {
	t := a.t
	t.Helper()
	place := a.Header.Get("Location") + a.Header.Get("Refresh")
	if unescaped, err := url.QueryUnescape(place); err == nil {
		place += unescaped
	}
	for _, c := range canaries {
		if strings.Contains(place, c) {
			t.Errorf("%s: an address holds %q: %s", a.what, c, place)
		}
	}
	if l := a.Header.Get("Location"); l != "" && (!strings.HasPrefix(l, "/") || strings.HasPrefix(l, "//") || strings.HasPrefix(l, `/\`)) {
		t.Errorf("%s: leads out of the site: %s", a.what, l)
	}
	if a.Doc == nil {
		return
	}
	h := a.Header
	if h.Get("Content-Security-Policy") != contentPolicy || h.Get("X-Frame-Options") != "DENY" || h.Get("Cache-Control") != "no-store" ||
		h.Get("X-Content-Type-Options") != "nosniff" || h.Get("Referrer-Policy") != "no-referrer" || h.Get("Cross-Origin-Opener-Policy") != "same-origin" {
		t.Errorf("%s: headers %v", a.what, h)
	}
	if len(a.Body) > mostPage {
		t.Errorf("%s: a page of %d bytes", a.what, len(a.Body))
	}
	a.each(func(n *html.Node) {
		switch n.Type {
		case html.CommentNode:
			t.Errorf("%s: a comment", a.what)
		case html.TextNode:
			if m := turning.FindString(n.Data); m != "" && !within(n, "textarea") {
				t.Errorf("%s: a mark of direction (%U) in <%s>: %.60q", a.what, []rune(m)[0], n.Parent.Data, n.Data)
			}
			if n.Parent != nil && n.Parent.Data == "title" && n.Parent.Parent.Data == "head" {
				for _, c := range canaries {
					if strings.Contains(n.Data, c) {
						t.Errorf("%s: the title holds %q", a.what, c)
					}
				}
			}
		case html.ElementNode:
			if !own()[n.Data] {
				t.Errorf("%s: an element <%s> that no template has", a.what, n.Data)
			}
			if (n.Data == "script" || n.Data == "style") && n.FirstChild != nil {
				t.Errorf("%s: <%s> with content", a.what, n.Data)
			}
			for _, at := range n.Attr {
				if !own()[n.Data+" "+strings.ToLower(at.Key)] {
					t.Errorf("%s: an attribute %s of <%s> that no template has", a.what, at.Key, n.Data)
				}
				if strings.HasPrefix(at.Key, "on") || at.Key == "style" || at.Key == "srcdoc" {
					t.Errorf("%s: inline %s", a.what, at.Key)
				}
				switch at.Key {
				case "href", "src", "action", "formaction", "data-href", "data-to":
					if !strings.HasPrefix(at.Val, "/") && !strings.HasPrefix(at.Val, "?") && !strings.HasPrefix(at.Val, "#") || strings.HasPrefix(at.Val, "//") {
						t.Errorf("%s: %s=%q", a.what, at.Key, at.Val)
					}
				case "value":
				default:
					if turning.MatchString(at.Val) {
						t.Errorf("%s: a mark of direction in %s of <%s>", a.what, at.Key, n.Data)
					}
				}
			}
		}
	})
}
