package console

import (
	"net/http"
	"slices"
	"time"

	"bonafide"
	"bonafide/pipeline"
	"bonafide/signal/text"
)

// comparePage lays letters side by side.
type comparePage struct {
	IDs     []string
	Columns []column
	Missing []string // erased, or not there
}

type column struct {
	ID       string
	Received time.Time
	Channel  bonafide.Channel
	Lang     string
	Marks    []text.Mark
	Cut      bool
	Shared   int // words out of a hundred that stand in at least one of the others
}

// compareRunes bounds one letter of a comparison, compareAll all of them.
const (
	compareRunes = 12_000
	compareAll   = 40_000
)

const (
	compareLeast = 2
	compareMost  = 8
)

// compare lays two to eight letters side by side. What identifies people is masked.
func (k *Console) compare(w http.ResponseWriter, r *http.Request, who *visit) error {
	ids := r.URL.Query()["with"]
	slices.Sort(ids)
	ids = slices.Compact(ids)
	if len(ids) < compareLeast || len(ids) > compareMost {
		return &bonafide.Error{Kind: bonafide.Invalid, Msg: "choose two to eight complaints to compare"}
	}
	for _, id := range ids {
		if !bonafide.ValidID(id) {
			return &bonafide.Error{Kind: bonafide.NotFound, Msg: "there is no such complaint"}
		}
	}
	page := comparePage{IDs: ids}
	bodies, err := k.letters(r.Context(), who, ids)
	if err != nil {
		return err
	}
	if len(bodies) == 0 {
		return &bonafide.Error{Kind: bonafide.NotFound, Msg: "there is no such complaint"}
	}
	for _, id := range ids {
		if err := k.logView(r, who, id, bodies); err != nil {
			return err
		}
	}
	letters := map[string]string{}
	cut := map[string]bool{}
	for id, c := range bodies {
		s := clean(pipeline.MaskLetter(c.Text, namesIn(c)...))
		if rs, most := []rune(s), min(compareRunes, compareAll/len(ids)); len(rs) > most {
			s, cut[id] = string(rs[:most]), true
		}
		letters[id] = s
	}
	for _, id := range ids {
		c, ok := bodies[id]
		if !ok {
			page.Missing = append(page.Missing, id)
			continue
		}
		var others []string
		for _, other := range ids {
			if s, ok := letters[other]; ok && other != id {
				others = append(others, s)
			}
		}
		col := column{ID: id, Received: c.Received, Channel: c.Channel, Lang: c.Lang, Cut: cut[id]}
		if col.Marks, err = k.Finder.Marks(r.Context(), who.tenant, letters[id], others); err != nil {
			return err
		}
		if most := marksShown / len(ids); len(col.Marks) > most {
			col.Marks, col.Cut = col.Marks[:most], true
		}
		all, shared := 0, 0
		for _, m := range col.Marks {
			all += len(m.Text)
			if m.Kind == bonafide.SpanShared {
				shared += len(m.Text)
			}
		}
		if all > 0 {
			col.Shared = 100 * shared / all
		}
		page.Columns = append(page.Columns, col)
	}
	return k.ok(w, r, who, "compare", page)
}
