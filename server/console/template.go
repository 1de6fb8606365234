package console

import (
	"net/http"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"bonafide"
	"bonafide/pipeline"
	"bonafide/signal/text"
	"bonafide/store"
)

// templatesPage lists letters that several complaints share.
type templatesPage struct {
	Rows   []store.TemplateRow
	Public []store.PublicLetter
	Full   bool
}

const templatesShown = 200

func (k *Console) templates(w http.ResponseWriter, r *http.Request, who *visit) error {
	ctx := r.Context()
	var page templatesPage
	err := k.Store.View(ctx, func(tx *store.Tx) (err error) {
		if page.Rows, err = tx.TemplateHeads(ctx, who.tenant, templatesShown); err != nil {
			return err
		}
		page.Full = len(page.Rows) == templatesShown
		page.Public, err = tx.PublicLetters(ctx, who.tenant)
		return err
	})
	if err != nil {
		return err
	}
	return k.ok(w, r, who, "templates", page)
}

// templatePage shows one.
type templatePage struct {
	ID       string
	Size     int
	Lang     string
	Benign   string
	Pieces   []piece
	Examples []column
	Members  []string
	More     int
	Gone     bool // nobody's letter can be read any more
}

// A piece is a part of a skeleton: words, or a slot where letters differ.
type piece struct {
	Text string
	Slot bool
}

// Bounds of a template's page.
const (
	templateLetters  = 24
	templateExamples = 2
	templateMembers  = 60
)

func (k *Console) template(w http.ResponseWriter, r *http.Request, who *visit) error {
	t, page, letters, err := k.readTemplate(r, who)
	if err != nil {
		return err
	}
	skeleton, model := pipeline.SkeletonOf(letters)
	page.Pieces = pieces(cut(clean(skeleton), letterPart/2))
	page.Members, page.More = t.Members[:min(len(t.Members), templateMembers)], max(0, len(t.Members)-templateMembers)
	for i, c := range letters {
		if i == model || len(page.Examples) == templateExamples {
			continue
		}
		mine := clean(pipeline.MaskLetter(cutRunes(c.Text, compareRunes), namesIn(c)...))
		col := column{ID: c.ID, Received: c.Received, Channel: c.Channel, Lang: c.Lang}
		if col.Marks, err = k.Finder.Marks(r.Context(), who.tenant, mine, []string{pipeline.MaskLetter(letters[model].Text, namesIn(letters[model])...)}); err != nil {
			return err
		}
		col.Marks = calm(col.Marks)
		page.Examples = append(page.Examples, col)
	}
	return k.ok(w, r, who, "template", page)
}

// readTemplate reads a template and some of its letters.
func (k *Console) readTemplate(r *http.Request, who *visit) (t bonafide.Template, page templatePage, letters []bonafide.Complaint, err error) {
	ctx, id := r.Context(), r.PathValue("id")
	if !bonafide.ValidID(id) {
		return t, page, nil, &bonafide.Error{Kind: bonafide.NotFound, Msg: "there is no such template"}
	}
	err = k.looked(ctx, who, "template", id, "", func(tx *store.Tx) error {
		row, err := tx.Template(ctx, who.tenant, id)
		if err != nil {
			return err
		}
		t = bonafide.Template{}
		return readJSON(row.Body, &t)
	})
	if err != nil {
		return t, page, nil, err
	}
	var some []string
	n := min(len(t.Members), templateLetters)
	for i := range n {
		some = append(some, t.Members[i*len(t.Members)/n])
	}
	bodies, err := k.letters(ctx, who, some)
	if err != nil {
		return t, page, nil, err
	}
	for _, id := range some {
		if c, ok := bodies[id]; ok {
			c.Text = cutRunes(c.Text, 4*compareRunes)
			letters = append(letters, c)
		}
	}
	page = templatePage{ID: id, Size: len(t.Members), Lang: t.Lang, Benign: t.Benign, Gone: len(letters) == 0}
	return t, page, letters, nil
}

func cutRunes(s string, n int) string {
	if utf8.RuneCountInString(s) <= n {
		return s
	}
	return string([]rune(s)[:n])
}

var slot = regexp.MustCompile(`‹[^›]*›`)

// pieces cuts a skeleton into words and slots.
func pieces(s string) []piece {
	var out []piece
	at := 0
	for _, m := range slot.FindAllStringIndex(s, -1) {
		if m[0] > at {
			out = append(out, piece{Text: s[at:m[0]]})
		}
		out = append(out, piece{Text: s[m[0]:m[1]], Slot: true})
		at = m[1]
	}
	if at < len(s) {
		out = append(out, piece{Text: s[at:]})
	}
	return out
}

// makePublic marks a template as a letter that anybody may copy: sending it is advice
// followed. Groupings from now on know it.
func (k *Console) makePublic(w http.ResponseWriter, r *http.Request, who *visit) error {
	ctx := r.Context()
	name := strings.Join(strings.Fields(clean(r.PostFormValue("name"))), " ")
	if n := utf8.RuneCountInString(name); n == 0 || n > 120 {
		return &bonafide.Error{Kind: bonafide.Invalid, Msg: "a public letter needs a name of 1 to 120 characters"}
	}
	_, page, letters, err := k.readTemplate(r, who)
	if err != nil {
		return err
	}
	skeleton, _ := pipeline.SkeletonOf(letters)
	body := name + "\n" + slot.ReplaceAllString(skeleton, "\n")
	if _, err := text.ParsePublic(body); err != nil {
		return err
	}
	l := store.PublicLetter{ID: k.Store.NewID(), Name: name, Author: who.actor.ID, At: k.Now().UTC(), Body: []byte(body)}
	if err := k.Store.Update(ctx, func(tx *store.Tx) error { return tx.PutPublicLetter(ctx, who.tenant, who.actor, l) }); err != nil {
		return err
	}
	if err := k.Grader.Regroup(ctx, who.tenant); err != nil {
		return err
	}
	return done(w, r, "/templates/"+page.ID, "public")
}

// removePublic takes the mark back.
func (k *Console) removePublic(w http.ResponseWriter, r *http.Request, who *visit) error {
	ctx := r.Context()
	if err := k.Store.Update(ctx, func(tx *store.Tx) error { return tx.RemovePublicLetter(ctx, who.tenant, who.actor, r.PathValue("id")) }); err != nil {
		return err
	}
	if err := k.Grader.Regroup(ctx, who.tenant); err != nil {
		return err
	}
	return done(w, r, "/templates", "saved")
}

// help shows what each word means.
func (k *Console) help(w http.ResponseWriter, r *http.Request, who *visit) error {
	return k.ok(w, r, who, "help", slices.Clone(k.words[who.column]))
}
