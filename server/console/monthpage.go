package console

import (
	"context"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"bonafide"
	sheets "bonafide/report"
	"bonafide/store"
)

const monthForm = "2006-01"

// monthPage is the monthly sheet.
type monthPage struct {
	sheets.MonthSheet
	Month          string
	Before, After  string // "" where the next one has not begun
	Opened, Closed []sheets.MonthFigure
	Lists          bool // figures open the cases behind them
}

// month shows the monthly sheet: figures alone to whoever may see no case.
func (k *Console) month(w http.ResponseWriter, r *http.Request, who *visit) error {
	page := monthPage{Lists: who.May(bonafide.ScopeCasesRead)}
	var err error
	if page.MonthSheet, err = k.monthSheet(r.Context(), who, r.URL.Query().Get("m"), false); err != nil {
		return err
	}
	page.Month, page.Before = page.From.Format(monthForm), page.From.AddDate(0, -1, 0).Format(monthForm)
	if !page.To.After(k.Now()) {
		page.After = page.To.Format(monthForm)
	}
	i := slices.IndexFunc(page.Cases, func(f sheets.MonthFigure) bool { return strings.HasPrefix(f.Key, "exit.") })
	if i < 0 {
		i = len(page.Cases)
	}
	page.Opened, page.Closed = page.Cases[:i], page.Cases[i:]
	return k.ok(w, r, who, "month", page)
}

// Detector names a kind of evidence.
func (g tongue) Detector(name string) string {
	if name == "document" {
		return g.T("audits.document")
	}
	return g.known("kind.", name)
}

// monthSheet reads a monthly sheet, with the cases behind its figures.
func (k *Console) monthSheet(ctx context.Context, who *visit, month string, cases bool) (sheet sheets.MonthSheet, err error) {
	err = k.Store.View(ctx, func(tx *store.Tx) (err error) {
		sheet, err = k.Cases.Month(ctx, tx, who.tenant, month, cases)
		return err
	})
	return sheet, err
}

// monthFile gives the monthly sheet out as a file, with the cases behind its figures to
// whoever may see them.
func monthFile(ext, kind string, write func(m *sheets.MonthSheet, lang string) ([]byte, error)) handler {
	return func(k *Console, w http.ResponseWriter, r *http.Request, who *visit) error {
		sheet, err := k.monthSheet(r.Context(), who, r.URL.Query().Get("m"), who.May(bonafide.ScopeCasesRead))
		if err != nil {
			return err
		}
		b, err := write(&sheet, who.Tag)
		if err != nil {
			return err
		}
		attach(w, "month-"+sheet.From.Format(monthForm)+"."+ext)
		w.Header().Set("Content-Type", kind)
		w.Header().Set("Content-Length", strconv.Itoa(len(b)))
		_, _ = w.Write(b) // nobody is left to tell
		return nil
	}
}
