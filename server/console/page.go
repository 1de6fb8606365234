package console

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"html/template"
	"io"
	"io/fs"
	"log/slog"
	"mime"
	"net/http"
	"net/url"
	"path"
	"slices"
	"strings"
	"unicode"

	"bonafide"
	"bonafide/server/auth"
)

// A visit is one request of somebody, who may not be signed in.
type visit struct {
	tongue
	session *auth.Session // nil for a stranger
	person  bonafide.Person
	actor   bonafide.Actor
	tenant  bonafide.Tenant
}

// May reports whether the visitor may do something.
func (v *visit) May(s bonafide.Scope) bool { return v.session != nil && v.actor.May(s) }

// Person is who visits.
func (v *visit) Person() bonafide.Person { return v.person }

// stranger is a visit of nobody who is known.
func (k *Console) stranger(r *http.Request) *visit {
	chosen := ""
	if c, err := r.Cookie(langCookie); err == nil {
		chosen = c.Value
	}
	return &visit{tongue: k.tongue(chooseLang(chosen, r.Header.Get("Accept-Language")))}
}

// langCookie remembers the language that a stranger chose; it names nobody.
const langCookie = "lang"

func (k *Console) tongue(l Lang) tongue { return tongue{Lang: l, all: k.all, zone: k.Clocks.Zone()} }

// visit finds out who asks.
func (k *Console) visit(r *http.Request) (*visit, error) {
	who := k.stranger(r)
	s, err := k.session(r)
	if err != nil || s == nil {
		if errors.Is(err, auth.ErrNoSession) {
			err = nil
		}
		return who, err
	}
	who.session, who.person, who.actor, who.tenant = s, s.Person, s.Actor, s.Tenant
	switch {
	case k.pseudo(who.person.Lang):
		who.tongue = k.tongue(langs[0])
		who.Tag = pseudo
	case who.person.Lang != "":
		who.tongue = k.tongue(chooseLang(who.person.Lang, ""))
	}
	return who, nil
}

// session is the session of a request. A page that renews itself, or waits for something
// to change, is nobody at work: it does not keep a session alive.
func (k *Console) session(r *http.Request) (*auth.Session, error) {
	if r.Header.Get("X-Part") != "" || r.URL.Path == livePath {
		return k.Auth.Watching(r)
	}
	return k.Auth.Session(r)
}

// pseudo reports whether a person reads the language of the test.
func (k *Console) pseudo(lang string) bool { return lang == pseudo }

// A page is a template with the frame around it.
type page struct{ whole, part *template.Template }

// A view is what a template sees: the visit, and the page's own data in Body.
type view struct {
	*visit
	Name    string
	Body    any
	Done    string // key of a message to say once
	Path    string
	Scopes  scopes
	Version string
}

// scopes let templates ask what somebody may do by a short name.
type scopes struct{ v *visit }

// Can reports whether the visitor has a scope.
func (s scopes) Can(scope string) bool { return s.v.May(bonafide.Scope(scope)) }

func (k *Console) readPages(files fs.FS) (map[string]*page, error) {
	names, err := fs.Glob(files, "templates/*.html")
	if err != nil {
		return nil, err
	}
	out := map[string]*page{}
	for _, name := range names {
		base := strings.TrimSuffix(path.Base(name), ".html")
		if base == "frame" || base == "parts" {
			continue
		}
		t, err := template.New(base).Funcs(k.funcs()).ParseFS(files, "templates/frame.html", "templates/parts.html", name)
		if err != nil {
			return nil, err
		}
		p := &page{whole: t.Lookup("frame"), part: t.Lookup("content")}
		out[base] = p
	}
	return out, nil
}

// funcs are what templates can call beside the methods of their view.
func (k *Console) funcs() template.FuncMap {
	return template.FuncMap{
		"asset": func(name string) string { return k.address(name) },
		"clean": clean,
		"list":  func(v ...any) []any { return v },
		"texts": func(v ...string) []string { return v },
		"has":   func(all []string, one string) bool { return slices.Contains(all, one) },
		"add":   func(a, b int) int { return a + b },
		"short": shortID,
		"cut":   cut,
		"seg":   url.PathEscape, // an id of the lender's, in an address
		"query": query,
	}
}

// query writes the query of an address of ours.
func query(q string) template.URL {
	v, err := url.ParseQuery(q)
	if err != nil {
		return ""
	}
	return template.URL(v.Encode())
}

// complaintAt is the address of a complaint, whose id can hold anything that a lender
// writes into one: 2024/0017.
func complaintAt(id string) string { return "/complaints/" + url.PathEscape(id) }

// shortID shortens an id of ours, of which the last letters tell apart.
func shortID(id string) string {
	if len(id) > 8 {
		return id[len(id)-6:]
	}
	return id
}

// show answers with a page. With the header X-Part only what stands inside the frame is
// sent, for a page that renews itself.
func (k *Console) show(w http.ResponseWriter, r *http.Request, who *visit, status int, name string, body any) {
	v := view{visit: who, Name: name, Body: body, Path: r.URL.Path, Scopes: scopes{who}, Version: k.Version}
	if key := r.URL.Query().Get("done"); key != "" && who.Has("done."+key) {
		v.Done = "done." + key
	}
	t := k.pages[name].whole
	if r.Header.Get("X-Part") != "" {
		t = k.pages[name].part
	}
	var b bytes.Buffer
	if err := t.Execute(&b, v); err != nil {
		// A template that does not fit its data is a fault of ours; what it says names fields.
		k.Log.ErrorContext(r.Context(), "page does not fit", slog.String("page", name), slog.Any("err", err))
		panic(err)
	}
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Cache-Control", "no-store")
	h.Set("Content-Language", who.Tag)
	w.WriteHeader(status)
	_, _ = io.WriteString(w, tame(name, b.String())) // nobody is left to tell
}

// tame takes out of a page whatever could turn the direction of its text. A row that is to
// be mended stays as it was written.
func tame(name, page string) string {
	if name == "quarantined" {
		return page
	}
	return clean(page)
}

// ok shows a page that all went well with.
func (k *Console) ok(w http.ResponseWriter, r *http.Request, who *visit, name string, body any) error {
	k.show(w, r, who, http.StatusOK, name, body)
	return nil
}

// An asset is a file that never changes under its address, which names its content.
type asset struct {
	kind string
	body []byte
}

// ServeHTTP sends it.
func (a asset) ServeHTTP(w http.ResponseWriter, _ *http.Request) {
	h := w.Header()
	h.Set("Content-Type", a.kind)
	h.Set("Cache-Control", "public, max-age=31536000, immutable")
	_, _ = w.Write(a.body)
}

// readAssets names files after what is in them: console.css is served as
// /static/console.1f2e3d4c.css.
func readAssets(files fs.FS) (map[string]asset, error) {
	out := map[string]asset{}
	err := fs.WalkDir(files, "static", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		b, err := fs.ReadFile(files, name)
		if err != nil {
			return err
		}
		sum := sha256.Sum256(b)
		ext := path.Ext(name)
		kind := mime.TypeByExtension(ext)
		if ext == ".js" {
			kind = "text/javascript; charset=utf-8"
		}
		out["/static/"+strings.TrimSuffix(path.Base(name), ext)+"."+hex.EncodeToString(sum[:4])+ext] = asset{kind, b}
		return nil
	})
	return out, err
}

// address is where an asset is served.
func (k *Console) address(name string) string {
	ext := path.Ext(name)
	prefix := "/static/" + strings.TrimSuffix(name, ext) + "."
	for a := range k.assets {
		if strings.HasPrefix(a, prefix) && strings.HasSuffix(a, ext) && len(a) == len(prefix)+8+len(ext) {
			return a
		}
	}
	return ""
}

// clean makes text of others safe to show anywhere: control characters and marks that
// change the direction of what follows go.
func clean(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\n' || r == '\t':
			return r
		case unicode.IsControl(r), r >= 0x202A && r <= 0x202E, r >= 0x2066 && r <= 0x2069, r == 0x200E, r == 0x200F, r == 0x061C:
			return -1
		}
		return r
	}, s)
}

// parentOf is the address above an address.
func parentOf(p string) string {
	if i := strings.LastIndexByte(strings.TrimSuffix(p, "/"), '/'); i > 0 {
		return p[:i]
	}
	return "/"
}

// cut shortens a text to n characters.
func cut(s string, n int) string {
	if rs := []rune(s); len(rs) > n {
		return string(rs[:n]) + "…"
	}
	return s
}
