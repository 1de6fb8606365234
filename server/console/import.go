package console

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"bonafide"
	"bonafide/intake"
	"bonafide/server"
	"bonafide/store"
)

// Importer reads files that were handed in, and rows of them that people corrected.
type Importer interface {
	StartImport(ctx context.Context, t bonafide.Tenant, by bonafide.Actor, id string, version int, how intake.Import) error
	MendRow(ctx context.Context, t bonafide.Tenant, by bonafide.Actor, id string, row map[string]string) (*bonafide.Quarantined, error)
}

// Bounds of a file and of its pages.
const (
	maxFile     = 64 << 20
	filePart    = 256 << 10
	uploadsOnce = 2 // files held in memory at a time
	uploadFor   = 5 * time.Minute
	fileName    = 120 // characters of it kept
	importsList = 100
	triedRows   = 200
	sampleRows  = 6
	sampleRunes = 90
	letterRunes = 400
)

// formLimits are what single forms may send, by pattern; others send maxForm.
var formLimits = map[string]int64{
	"POST /import":               maxFile + maxForm, // and what stands around the file
	"POST /quarantine/{id}/mend": 16 << 20,          // a row, written for a form
	"POST /cases/{id}/items":     maxItem,
}

// importsPage lists imports and takes a new one.
type importsPage struct {
	Rows []importHead
	Most int // MiB of a file
}

// importHead is an import in a list.
type importHead struct {
	store.ImportRow
	How intake.Import
	Who string
}

func (k *Console) imports(w http.ResponseWriter, r *http.Request, who *visit) error {
	ctx := r.Context()
	page := importsPage{Most: maxFile >> 20}
	err := k.Store.View(ctx, func(tx *store.Tx) error {
		page.Rows = nil
		rows, err := tx.Imports(ctx, who.tenant, importsList)
		if err != nil {
			return err
		}
		names, err := k.actors(ctx, tx, who.tenant)
		if err != nil {
			return err
		}
		for _, row := range rows {
			h := importHead{ImportRow: row, Who: nameOf(names, row.Author)}
			if err := readJSON(row.Body, &h.How); err != nil {
				return err
			}
			page.Rows = append(page.Rows, h)
		}
		return nil
	})
	if err != nil {
		return err
	}
	return k.ok(w, r, who, "imports", page)
}

// upload keeps a file that somebody handed in, sealed, until it is read.
func (k *Console) upload(w http.ResponseWriter, r *http.Request, who *visit) error {
	select {
	case k.uploads <- struct{}{}:
		defer func() { <-k.uploads }()
	default:
		return &bonafide.Error{Kind: bonafide.Busy, Msg: "other files are being handed in: try again in a moment"}
	}
	// A slow line may take longer than other requests.
	_ = http.NewResponseController(w).SetReadDeadline(k.Now().Add(uploadFor))
	_ = http.NewResponseController(w).SetWriteDeadline(k.Now().Add(uploadFor + time.Minute))
	name, parts, size, err := readFile(r)
	if err != nil {
		return err
	}
	whole := func() io.Reader {
		readers := make([]io.Reader, len(parts))
		for i, p := range parts {
			readers[i] = bytes.NewReader(p)
		}
		return io.MultiReader(readers...)
	}
	sum := sha256.New()
	for _, p := range parts {
		sum.Write(p)
	}
	// Rows without an id are named after the content: the same file makes the same ids.
	mark := "file-" + hex.EncodeToString(sum.Sum(nil)[:6])
	how, _, err := intake.Look(mark, whole(), 2000)
	if known, ok := errors.AsType[*bonafide.Error](err); ok {
		return &bonafide.Error{Kind: known.Kind, Msg: strings.TrimPrefix(known.Msg, mark+": "), Err: known.Err}
	}
	if err != nil {
		return err
	}
	how.Name = name
	for i, n := range how.Notes {
		how.Notes[i] = strings.TrimPrefix(n, mark+": ")
	}
	if how.Mapping != nil && how.Mapping.Zone == "" {
		how.Mapping.Zone = k.Clocks.Zone().String()
	}
	body, err := json.Marshal(how)
	if err != nil {
		return fmt.Errorf("write import: %w", err)
	}
	m := store.ImportRow{ID: k.Store.NewID(), Author: who.actor.ID, State: store.ImportOpen, At: k.Now().UTC(), Size: size, Body: body}
	err = k.Store.Update(r.Context(), func(tx *store.Tx) error { return tx.AddImport(r.Context(), who.tenant, who.actor, m, parts) })
	if err != nil {
		return err
	}
	return done(w, r, "/import/"+m.ID, "")
}

var errTooLarge = &server.Refusal{Status: http.StatusRequestEntityTooLarge, Detail: "the file is larger than 64 MiB: split it, or hand the complaints in over the API"}

// readFile reads the file of a form.
func readFile(r *http.Request) (name string, parts [][]byte, size int64, err error) {
	none := &bonafide.Error{Kind: bonafide.Invalid, Msg: "choose a file: CSV or NDJSON, or gzip of either"}
	if kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || kind != "multipart/form-data" {
		return "", nil, 0, none
	}
	if r.ContentLength > maxFile+maxForm {
		return "", nil, 0, errTooLarge
	}
	form, err := r.MultipartReader()
	if err != nil {
		return "", nil, 0, none
	}
	wrong := func(err error) error {
		var large *http.MaxBytesError
		switch {
		case errors.As(err, &large):
			return errTooLarge
		case errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, io.EOF):
			return &server.Refusal{Status: http.StatusBadRequest, Detail: "the request ends early: send it whole", Err: err}
		}
		return err
	}
	for {
		p, err := form.NextPart()
		if err == io.EOF {
			return "", nil, 0, none
		}
		if err != nil {
			return "", nil, 0, wrong(err)
		}
		if p.FormName() != "file" || p.FileName() == "" {
			continue
		}
		part := make([]byte, 0, filePart)
		for err == nil {
			var n int
			n, err = p.Read(part[len(part):cap(part)])
			part, size = part[:len(part)+n], size+int64(n)
			if size > maxFile {
				return "", nil, 0, errTooLarge
			}
			if len(part) == cap(part) || err == io.EOF && len(part) > 0 {
				parts, part = append(parts, part), make([]byte, 0, filePart)
			}
		}
		if err != io.EOF {
			return "", nil, 0, wrong(err)
		}
		if size == 0 {
			return "", nil, 0, &bonafide.Error{Kind: bonafide.Invalid, Msg: "empty file: nothing to read"}
		}
		return cutRunes(strings.Join(strings.Fields(clean(p.FileName())), " "), fileName), parts, size, nil
	}
}

// importPage shows one import: how its file is read, how far it is, or what became of it.
type importPage struct {
	store.ImportRow
	How      intake.Import
	Who      string // handed it in
	Starter  string
	Problem  string // of the form
	Columns  []importColumn
	More     int // columns that are not shown
	Rows     [][]string
	Fields   []fieldGroup
	Zones    []string
	Orders   []string
	Trial    *trial
	Warnings []string
}

// Kilobytes is the size of the file.
func (p *importPage) Kilobytes() int64 { return (p.Size + 1023) / 1024 }

// Percent is how much of the file was read.
func (p *importPage) Percent() int64 { return 100 * p.Done / max(p.Size, 1) }

// importColumn is a column of the file, and what it is read as.
type importColumn struct {
	N    int    // from 0
	Name string // "" where it looks like data
	As   string // a path of the contract, "contact:" and a kind, or ""
}

// fieldGroup are the fields that a column can be read as, in the groups of a list.
type fieldGroup struct {
	Name   string
	Fields []string
}

// trial is what came of reading the first rows.
type trial struct {
	Rows, Refused int
	Problem       string // of the file as a whole
	Reasons       []trialReason
	First         *bonafide.Complaint // the first that could be read
	Text          string              // of it, masked
	Contacts      []bonafide.IdentifierKind

	notes []string
}

type trialReason struct {
	Field, Reason string
	Count         int
	Lines         []int
}

const (
	mostColumns = 100 // on the page
	someLines   = 5
)

// importZones are where the clocks of files stand, as a list offers them.
var importZones = []string{
	"UTC", "Asia/Shanghai", "Asia/Hong_Kong", "Asia/Singapore", "Asia/Tokyo", "Asia/Kolkata", "Europe/London", "Europe/Lisbon", "Europe/Berlin",
	"America/Sao_Paulo", "America/Manaus", "America/New_York", "America/Chicago", "America/Denver", "America/Los_Angeles",
}

var dateOrders = []string{"", "ymd", "mdy", "dmy"}

const contactAs = "contact:"

// fieldGroups are all fields that a column can be read as.
var fieldGroups = func() []fieldGroup {
	groups := []fieldGroup{{Name: "complaint"}, {Name: "customer"}, {Name: "representative"}, {Name: "material"}, {Name: "contact"}}
	for _, path := range intake.Paths() {
		at := 0
		switch first, _, _ := strings.Cut(path, "."); first {
		case "customer":
			at = 1
		case "representative":
			at = 2
		case "documents", "calls":
			at = 3
		}
		groups[at].Fields = append(groups[at].Fields, path)
	}
	for _, kind := range bonafide.IdentifierKinds {
		groups[4].Fields = append(groups[4].Fields, contactAs+string(kind))
	}
	return groups
}()

// Label names a field of a complaint, or what a column is read as.
func (v view) Label(path string) string {
	if kind, ok := strings.CutPrefix(path, contactAs); ok {
		return v.T("import.contact", v.T("kind."+kind))
	}
	if n, ok := strings.CutPrefix(path, "column "); ok {
		if n, err := strconv.Atoi(n); err == nil {
			return v.T("import.column", n)
		}
	}
	if v.Has("path." + path) {
		return v.T("path." + path)
	}
	return clean(path)
}

func (k *Console) oneImport(w http.ResponseWriter, r *http.Request, who *visit) error {
	page, err := k.readImport(r, who)
	if err != nil {
		return err
	}
	return k.showImport(w, r, who, page, http.StatusOK)
}

// readImport reads the import of the address.
func (k *Console) readImport(r *http.Request, who *visit) (*importPage, error) {
	ctx, id := r.Context(), r.PathValue("id")
	if !bonafide.ValidID(id) {
		return nil, &bonafide.Error{Kind: bonafide.NotFound, Msg: "there is no import"}
	}
	page := &importPage{}
	err := k.Store.View(ctx, func(tx *store.Tx) error {
		var err error
		if page.ImportRow, err = tx.Import(ctx, who.tenant, id); err != nil {
			return err
		}
		names, err := k.actors(ctx, tx, who.tenant)
		if err != nil {
			return err
		}
		page.How = intake.Import{}
		if err := readJSON(page.Body, &page.How); err != nil {
			return err
		}
		page.Who, page.Starter = nameOf(names, page.Author), nameOf(names, page.How.By)
		return nil
	})
	return page, err
}

// showImport shows an import; while it is not started, with how its file is read.
func (k *Console) showImport(w http.ResponseWriter, r *http.Request, who *visit, page *importPage, status int) error {
	page.Warnings = page.How.Notes
	if page.State == store.ImportOpen {
		if err := k.preview(r.Context(), who, page); err != nil {
			return err
		}
	}
	k.show(w, r, who, status, "import", page)
	return nil
}

// preview reads the first rows of the file in the way that the page says.
func (k *Console) preview(ctx context.Context, who *visit, p *importPage) error {
	p.Fields, p.Orders, p.Zones = fieldGroups, dateOrders, importZones
	if m := p.How.Mapping; m != nil && m.Zone != "" && !slices.Contains(p.Zones, m.Zone) {
		p.Zones = append([]string{m.Zone}, p.Zones...)
	}
	_, rows, err := intake.Look(p.How.Mark, k.Store.Upload(ctx, who.tenant, p.ID, p.Size), triedRows)
	if err != nil {
		return err
	}
	shown := p.How.Columns[:min(len(p.How.Columns), mostColumns)]
	p.More = len(p.How.Columns) - len(shown)
	for i, name := range shown {
		c := importColumn{N: i, Name: clean(intake.ColumnName(name))}
		path, kind := p.How.Field(name)
		if c.As = path; kind != "" {
			c.As = contactAs + string(kind)
		}
		p.Columns = append(p.Columns, c)
	}
	p.Rows = sample(p.Columns, rows)
	p.Trial, err = try(ctx, &p.How, k.Store.Upload(ctx, who.tenant, p.ID, p.Size))
	if err != nil {
		return err
	}
	for _, n := range p.Trial.warnings(p.How.Mark) {
		if !slices.Contains(p.Warnings, n) {
			p.Warnings = append(slices.Clone(p.Warnings), n)
		}
	}
	return nil
}

// saveMapping changes how a file is read.
func (k *Console) saveMapping(w http.ResponseWriter, r *http.Request, who *visit) error {
	page, err := k.readImport(r, who)
	if err != nil {
		return err
	}
	if page.State != store.ImportOpen {
		return errImportBegun
	}
	if page.Problem = readMapping(r, &page.How); page.Problem != "" {
		return k.showImport(w, r, who, page, http.StatusUnprocessableEntity)
	}
	row := page.ImportRow
	if row.Body, err = json.Marshal(page.How); err != nil {
		return fmt.Errorf("write import: %w", err)
	}
	row.Version = version(r) + 1
	if err := k.Store.Update(r.Context(), func(tx *store.Tx) error { return tx.SaveImport(r.Context(), who.tenant, who.actor, row) }); err != nil {
		return err
	}
	return done(w, r, "/import/"+page.ID, "mapping")
}

var errImportBegun = &bonafide.Error{Kind: bonafide.Conflict, Msg: "the import was started or stopped already"}

// readMapping reads from a form how a file is read, and says what is wrong with it.
func readMapping(r *http.Request, how *intake.Import) (problem string) {
	if r.PostFormValue("version") == "" {
		return "the form is not whole: open the page again"
	}
	how.History = r.PostFormValue("history") == "yes"
	if how.Contract || r.PostFormValue("columns") == "" {
		return ""
	}
	old := how.Mapping
	m := &intake.Mapping{Delimiter: old.Delimiter, DateLayout: old.DateLayout, Fixed: old.Fixed, Fields: map[string]string{}}
	paths := intake.Paths()
	for i, name := range how.Columns {
		as := r.PostFormValue("c" + strconv.Itoa(i))
		if i >= mostColumns {
			path, kind := how.Field(name)
			if as = path; kind != "" {
				as = contactAs + string(kind)
			}
		}
		kind, contact := strings.CutPrefix(as, contactAs)
		switch {
		case as == "" || name == "":
		case contact && slices.Contains(bonafide.IdentifierKinds, bonafide.IdentifierKind(kind)):
			c := intake.ContactColumn{Kind: bonafide.IdentifierKind(kind), Column: name}
			if !slices.Contains(m.Contacts, c) {
				m.Contacts = append(m.Contacts, c)
			}
		case !slices.Contains(paths, as):
			problem = "a column is read as something that a complaint does not have: choose again"
		case m.Fields[as] != "" && m.Fields[as] != name:
			problem = "two columns are read as the same field: choose one of them"
		default:
			m.Fields[as] = name
		}
	}
	if order := r.PostFormValue("order"); slices.Contains(dateOrders, order) {
		m.DateOrder = order
	}
	m.Zone = old.Zone
	if zone := r.PostFormValue("zone"); slices.Contains(importZones, zone) {
		m.Zone = zone
	}
	if how.Mapping, how.Notes = m, nil; problem == "" && m.Check() != nil {
		problem = chooseText
	}
	return problem
}

// startImport has a file read, in the way that the form says.
func (k *Console) startImport(w http.ResponseWriter, r *http.Request, who *visit) error {
	page, err := k.readImport(r, who)
	if err != nil {
		return err
	}
	if page.State != store.ImportOpen {
		return errImportBegun
	}
	if page.Problem = readMapping(r, &page.How); page.Problem == "" && !page.How.Contract && page.How.Mapping.Check() != nil {
		page.Problem = chooseText
	}
	if page.Problem != "" {
		return k.showImport(w, r, who, page, http.StatusUnprocessableEntity)
	}
	if err := k.Imports.StartImport(r.Context(), who.tenant, who.actor, page.ID, version(r), page.How); err != nil {
		return err
	}
	return done(w, r, "/import/"+page.ID, "import-started")
}

// stopImport ends an import, or throws away a file that was not read. What is stored of it
// stays. It takes no version: the job that reads the file saves the import all the while.
func (k *Console) stopImport(w http.ResponseWriter, r *http.Request, who *visit) error {
	ctx, id := r.Context(), r.PathValue("id")
	err := k.Store.Update(ctx, func(tx *store.Tx) error {
		if _, err := tx.Lock(ctx, who.tenant); err != nil {
			return err
		}
		m, err := tx.Import(ctx, who.tenant, id)
		if err != nil {
			return err
		}
		if m.State != store.ImportOpen && m.State != store.ImportRunning {
			return &bonafide.Error{Kind: bonafide.Conflict, Msg: "the import has ended already"}
		}
		m.State, m.Version = store.ImportStopped, m.Version+1
		return tx.SaveImport(ctx, who.tenant, who.actor, m)
	})
	if err != nil {
		return err
	}
	return done(w, r, "/import/"+id, "import-stopped")
}
