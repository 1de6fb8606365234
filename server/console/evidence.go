package console

import (
	"errors"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"bonafide"
	"bonafide/server"
	"bonafide/store"
)

// Bounds of what is taken in and given out.
const (
	maxItem     = 8<<30 + maxForm // the engine's own limit, and what stands around the file
	itemFields  = 40
	itemField   = 16 << 10 // bytes of one field
	drainMost   = 16 << 20 // read of a file that is refused, so that a browser hears why
	stallFor    = time.Minute
	ageKeysMost = 20
)

// patient reads a body that may take hours, as long as something of it arrives.
type patient struct {
	r   io.Reader
	out *http.ResponseController
	now func() time.Time
}

// Read reads, and gives the next part its time.
func (p patient) Read(b []byte) (int, error) {
	_ = p.out.SetReadDeadline(p.now().Add(stallFor))
	n, err := p.r.Read(b)
	return n, err
}

// steady writes an answer that may take hours, as long as somebody takes it.
type steady struct {
	w   http.ResponseWriter
	out *http.ResponseController
	now func() time.Time
	any bool // something was written
}

// Write writes, and gives the next part its time.
func (s *steady) Write(b []byte) (int, error) {
	_ = s.out.SetWriteDeadline(s.now().Add(stallFor))
	s.any = true
	return s.w.Write(b)
}

var errNoFile = &bonafide.Error{Kind: bonafide.Invalid, Msg: "choose the file that is taken in"}

// takeItem takes a file into custody as it arrives: it is never whole in memory, nor in a
// file of its own. The fields come before it.
func (k *Console) takeItem(w http.ResponseWriter, r *http.Request, who *visit) error {
	row, err := k.theCase(r, who)
	if err != nil {
		return err
	}
	if kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || kind != "multipart/form-data" {
		return errNoFile
	}
	out := http.NewResponseController(w)
	// What the server allows for an answer began with the request; a large file takes longer.
	defer func() { _ = out.SetWriteDeadline(k.Now().Add(stallFor)) }()
	r.Body = struct {
		io.Reader
		io.Closer
	}{patient{r.Body, out, k.Now}, r.Body}
	form, err := r.MultipartReader()
	if err != nil {
		return errNoFile
	}
	fields := map[string]string{}
	for {
		p, err := form.NextPart()
		if err == io.EOF {
			return errNoFile
		}
		if err != nil {
			return brokenOff(err)
		}
		if p.FileName() == "" && p.FormName() != "file" {
			if err := readField(fields, p); err != nil {
				return err
			}
			continue
		}
		if p.FormName() != "file" || p.FileName() == "" {
			return errNoFile
		}
		about, err := k.itemOf(row.ID, fields)
		if err == nil {
			about.Name = cutRunes(strings.Join(strings.Fields(clean(p.FileName())), " "), lineMost)
			_, err = k.Cases.TakeIn(r.Context(), who.tenant, who.actor, about, p)
		}
		if err != nil {
			_, _ = io.Copy(io.Discard, io.LimitReader(p, drainMost))
			return brokenOff(err)
		}
		_ = out.SetWriteDeadline(k.Now().Add(stallFor))
		return doneAt(w, r, row.ID, "items", "item-taken")
	}
}

// brokenOff says that a request ended before its file did.
func brokenOff(err error) error {
	var large *http.MaxBytesError
	switch {
	case errors.As(err, &large):
		return &server.Refusal{Status: http.StatusRequestEntityTooLarge, Detail: "the file is larger than 8 GiB: hand it over in parts, or take it in at the machine itself"}
	case errors.Is(err, io.ErrUnexpectedEOF):
		return &server.Refusal{Status: http.StatusBadRequest, Detail: "the request ends early: send it whole", Err: err}
	}
	return err
}

func readField(fields map[string]string, p *multipart.Part) error {
	b, err := io.ReadAll(io.LimitReader(p, itemField+1))
	if err != nil {
		return brokenOff(err)
	}
	if len(b) > itemField || len(fields) >= itemFields || !utf8.Valid(b) {
		return &bonafide.Error{Kind: bonafide.Invalid, Msg: "a text is longer than 4,000 characters: shorten it"}
	}
	fields[p.FormName()] = strings.TrimSpace(string(b))
	return nil
}

// itemOf reads what a form says of a file.
func (k *Console) itemOf(caseID string, fields map[string]string) (bonafide.Item, error) {
	for name, value := range fields {
		if name != "complaint" && name != "parent" { // ids are as they are
			fields[name] = clean(value)
		}
	}
	i := bonafide.Item{
		Case: caseID, Category: fields["category"], Complaint: fields["complaint"], Parent: fields["parent"], Source: fields["source"], Extractor: fields["extractor"],
		Second: fields["second"], Tool: fields["tool"], Place: fields["place"], Glossary: fields["glossary"], Personal: fields["personal"] != "no",
	}
	for _, id := range []string{i.Complaint, i.Parent} {
		if id != "" && !bonafide.ValidID(id) {
			return i, &bonafide.Error{Kind: bonafide.NotFound, Msg: "there is no such thing"}
		}
	}
	if at := fields["at"]; at != "" {
		t, err := time.ParseInLocation("2006-01-02T15:04", cut(at, 16), k.Clocks.Zone())
		if err != nil {
			return i, &bonafide.Error{Kind: bonafide.Invalid, Msg: "a time is not one such as 2026-11-23T14:30"}
		}
		i.At = t.UTC()
	}
	return i, nil
}

// takeRecord takes a record of the program's own into custody.
func (k *Console) takeRecord(w http.ResponseWriter, r *http.Request, who *visit) error {
	row, err := k.theCase(r, who)
	if err != nil {
		return err
	}
	second, err := oneLine(r, "second")
	if err != nil {
		return err
	}
	place, err := oneLine(r, "place")
	if err != nil {
		return err
	}
	complaint := r.PostFormValue("complaint")
	if !bonafide.ValidID(complaint) {
		return &bonafide.Error{Kind: bonafide.NotFound, Msg: "there is no such complaint"}
	}
	if _, err := k.Cases.TakeRecord(r.Context(), who.tenant, who.actor, row.ID, complaint, r.PostFormValue("record"), second, place); err != nil {
		return err
	}
	return doneAt(w, r, row.ID, "items", "item-taken")
}

// attach names a download. What is in it is not for the browser to look at.
func attach(w http.ResponseWriter, name string) {
	h := w.Header()
	h.Set("Content-Type", "application/octet-stream")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Content-Security-Policy", "sandbox; default-src 'none'")
	h.Set("Cache-Control", "no-store")
	h.Set("Content-Disposition", mime.FormatMediaType("attachment", map[string]string{"filename": fileNamed(name)}))
}

// fileNamed is a name that may stand on anybody's disk.
func fileNamed(name string) string {
	name = strings.Map(func(r rune) rune {
		if strings.ContainsRune(`/\:*?"<>|%;=`, r) || r < ' ' {
			return '_'
		}
		return r
	}, clean(name))
	if name = strings.Trim(name, " ."); name == "" {
		name = "file"
	}
	return name
}

// readItem gives an item's content out. The engine writes into its custody who read it, and
// for what.
func (k *Console) readItem(w http.ResponseWriter, r *http.Request, who *visit) error {
	id := r.PathValue("id")
	if !bonafide.ValidID(id) {
		return &bonafide.Error{Kind: bonafide.NotFound, Msg: "there is no such item"}
	}
	purpose := r.PostFormValue("purpose")
	if !slices.Contains(itemPurposes, purpose) {
		return &bonafide.Error{Kind: bonafide.Invalid, Msg: "purpose: missing: say what it is looked at for"}
	}
	item, content, err := k.Cases.OpenItem(r.Context(), who.tenant, who.actor, id, purpose)
	if err != nil {
		return err
	}
	defer content.Close()
	attach(w, item.Name)
	w.Header().Set("Content-Length", strconv.FormatInt(item.Size, 10))
	out := &steady{w: w, out: http.NewResponseController(w), now: k.Now}
	if _, err := io.Copy(out, content); err != nil {
		if out.any {
			panic(http.ErrAbortHandler) // nobody must take a part for the whole
		}
		unattach(w)
		return err
	}
	return nil
}

// unattach makes an answer a page again.
func unattach(w http.ResponseWriter) {
	for _, name := range []string{"Content-Disposition", "Content-Length", "Content-Type"} {
		w.Header().Del(name)
	}
	w.Header().Set("Content-Security-Policy", contentPolicy)
}

// declareItem says that somebody read an item, and whether it names a customer.
func (k *Console) declareItem(w http.ResponseWriter, r *http.Request, who *visit) error {
	id, personal := r.PathValue("id"), r.PostFormValue("personal")
	if !bonafide.ValidID(id) {
		return &bonafide.Error{Kind: bonafide.NotFound, Msg: "there is no such item"}
	}
	if personal != "yes" && personal != "no" {
		return &bonafide.Error{Kind: bonafide.Invalid, Msg: "personal: say yes or no"}
	}
	var item store.ItemRow
	if err := k.Store.View(r.Context(), func(tx *store.Tx) (err error) {
		item, err = tx.Item(r.Context(), who.tenant, id)
		return err
	}); err != nil {
		return err
	}
	if err := k.Cases.Declare(r.Context(), who.tenant, who.actor, id, personal == "yes"); err != nil {
		return err
	}
	return doneAt(w, r, item.Case, "items", "item-declared")
}

// redactItem makes a copy of a text without names and identifiers.
func (k *Console) redactItem(w http.ResponseWriter, r *http.Request, who *visit) error {
	id := r.PathValue("id")
	if !bonafide.ValidID(id) {
		return &bonafide.Error{Kind: bonafide.NotFound, Msg: "there is no such item"}
	}
	second, err := oneLine(r, "second")
	if err != nil {
		return err
	}
	item, err := k.Cases.Redact(r.Context(), who.tenant, who.actor, id, second)
	if err != nil {
		return err
	}
	return doneAt(w, r, item.Case, "items", "item-redacted")
}

// sealCase seals a case for a reader.
func (k *Console) sealCase(w http.ResponseWriter, r *http.Request, who *visit) error {
	row, err := k.theCase(r, who)
	if err != nil {
		return err
	}
	if _, err := k.Cases.SealCase(r.Context(), who.tenant, who.actor, row.ID, r.PostFormValue("variant"), r.PostFormValue("anew") == "yes"); err != nil {
		return err
	}
	return doneAt(w, r, row.ID, "packs", "case-sealed")
}

// writePack gives a pack out as it is written. What goes wrong before its first byte is
// shown as a page; after it the connection is cut off.
func (k *Console) writePack(w http.ResponseWriter, r *http.Request, who *visit) error {
	row, err := k.theCase(r, who)
	if err != nil {
		return err
	}
	recipients := strings.Fields(r.PostFormValue("recipients"))
	if len(recipients) > ageKeysMost {
		return &bonafide.Error{Kind: bonafide.Invalid, Msg: "a pack is encrypted to 20 keys at most"}
	}
	out := &steady{w: w, out: http.NewResponseController(w), now: k.Now}
	_ = out.out.SetWriteDeadline(k.Now().Add(packFor)) // sealing reads every original first
	_, err = k.Cases.PackCase(r.Context(), who.tenant, who.actor, row.ID, r.PostFormValue("variant"), r.PostFormValue("anew") == "yes", 0, recipients, func(name string) (io.Writer, error) {
		attach(w, name)
		return out, nil
	})
	if err != nil && out.any {
		panic(http.ErrAbortHandler) // nobody must take a part for the whole
	}
	if err != nil {
		unattach(w)
	}
	return err
}

// packFor is how long the making of a pack may take before its first byte.
const packFor = time.Hour

// stixCase gives out the infrastructure of a case for others.
func (k *Console) stixCase(w http.ResponseWriter, r *http.Request, who *visit) error {
	row, err := k.theCase(r, who)
	if err != nil {
		return err
	}
	b, err := k.Cases.Stix(r.Context(), who.tenant, who.actor, row.ID)
	if err != nil {
		return err
	}
	attach(w, "case-"+strconv.Itoa(row.Number)+".stix.json")
	_, _ = w.Write(b) // nobody is left to tell
	return nil
}

// advertsPage lists adverts of those who offer to complain for others.
type advertsPage struct {
	Rows  []advertRow
	Kinds []bonafide.IdentifierKind
	Today string
	Full  bool
}

type advertRow struct {
	bonafide.Advert
	Who   string
	Fed   []string
	More  int // complaints that are not named
	Cases []caseLink
}

const (
	advertsShown = 100
	fedShown     = 20
)

func (k *Console) adverts(w http.ResponseWriter, r *http.Request, who *visit) error {
	ctx := r.Context()
	page := advertsPage{Kinds: bonafide.IdentifierKinds, Today: k.Now().In(k.Clocks.Zone()).Format(time.DateOnly)}
	err := k.Store.View(ctx, func(tx *store.Tx) error {
		page.Rows = nil // this may run again
		names, err := k.actors(ctx, tx, who.tenant)
		if err != nil {
			return err
		}
		all, err := tx.Adverts(ctx, who.tenant, nil, advertsShown+1)
		if err != nil {
			return err
		}
		page.Full = len(all) > advertsShown
		for _, a := range all[:min(len(all), advertsShown)] {
			row := advertRow{Advert: a, Who: who.actorName(names, a.By)}
			if row.Cases, err = k.standsIn(ctx, tx, who, "advert", a.ID); err != nil {
				return err
			}
			page.Rows = append(page.Rows, row)
		}
		return nil
	})
	if err != nil {
		return err
	}
	for i := range page.Rows {
		row := &page.Rows[i]
		if row.Fed, err = k.Cases.Fed(ctx, who.tenant, row.Advert); err != nil {
			return err
		}
		row.More = max(0, len(row.Fed)-fedShown)
		row.Fed = row.Fed[:len(row.Fed)-row.More]
	}
	return k.ok(w, r, who, "adverts", page)
}

func (k *Console) addAdvert(w http.ResponseWriter, r *http.Request, who *visit) error {
	f := &changeForm{k: k, r: r}
	a := bonafide.Advert{Where: f.line("where"), URL: f.value("url"), Seen: f.day("seen"), Text: f.words("text"), Publisher: f.line("publisher")}
	a.URL = clean(a.URL)
	a.Identifiers = identifiers(r.PostForm)
	for _, id := range a.Identifiers {
		if (!slices.Contains(bonafide.IdentifierKinds, id.Kind) || utf8.RuneCountInString(id.Value) > 500) && f.err == nil {
			f.err = &bonafide.Error{Kind: bonafide.Invalid, Msg: "identifiers: each has a kind and up to 500 characters"}
		}
	}
	if f.err != nil {
		return f.err
	}
	if _, err := k.Cases.AddAdvert(r.Context(), who.tenant, who.actor, a); err != nil {
		return err
	}
	return done(w, r, "/adverts", "advert-kept")
}
