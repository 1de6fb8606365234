package console

import (
	"net/http"
	"strings"
	"testing"

	"bonafide"
	"bonafide/store"
)

// The page of somebody who was erased says so, and offers nothing of theirs; what a
// customer demands is masked like the letter.
func TestPageOfAnErasedPerson(t *testing.T) {
	o := newOffice(t)
	o.ready()
	o.submit("north", bonafide.Complaint{ID: "GONE", Text: "I was charged twice.", Customer: bonafide.Customer{Ref: "gone", Name: "Greta Vanish"}, Demands: []string{"pay Greta Vanish back, call +44 7700 900987"}})
	me := o.signIn(o.north.People["handler"])
	if body := me.get("/complaints/GONE").want(http.StatusOK).Body; strings.Contains(body, "Vanish") || strings.Contains(body, "900987") {
		t.Error("a demand shows who it is")
	}
	err := o.engine.Erase(t.Context(), "north", bonafide.System("test"), "", "GONE", "asked", func(*store.Tx, string, []string) error { return nil })
	if err != nil {
		t.Fatal(err)
	}
	body := me.get("/complaints/GONE").want(http.StatusOK).Body
	if strings.Contains(body, "charged twice") || strings.Contains(body, "Vanish") {
		t.Error("something of them is shown")
	}
	if !strings.Contains(body, "erased") {
		t.Error("the page does not say what became of it")
	}
}
