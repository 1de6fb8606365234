package evaluate

import (
	"os"
	"slices"
	"strings"
	"testing"

	"bonafide"
	"bonafide/internal/synth"
)

func complaint(id, ref, phone, text string) bonafide.Complaint {
	c := bonafide.Complaint{ID: id, Text: text, Customer: bonafide.Customer{Ref: ref}}
	if phone != "" {
		c.Contacts = []bonafide.Identifier{{Kind: bonafide.Phone, Value: phone}}
	}
	return c
}

func TestBaselinesAccuse(t *testing.T) {
	const letter = "they rang me at night and would not stop although I asked them to write"
	const other = "the fee was added twice in March and nobody could tell me why it was so"
	cs := []bonafide.Complaint{
		complaint("1", "A", "0700 123", letter), complaint("2", "B", "0700-123", " "+strings.ToUpper(letter)), complaint("3", "C", "0700123", letter),
		complaint("4", "D", "0700 123", other), complaint("5", "A", "", letter), complaint("6", "E", "0799", other+" now"), complaint("7", "F", "0799", other),
	}
	for _, row := range []struct {
		name string
		of   func([]bonafide.Complaint) Prediction
		want string
	}{
		{"exact duplicates", ExactDuplicates, "1 2 3 5"},
		{"shared phone", SharedPhone, "1 2 3 4"},
		{"identifier and text", SharedIdentifierAndText, "6 7"},
	} {
		p := row.of(cs)
		var got []string
		for id, level := range p.Levels {
			if level.Accuses() {
				got = append(got, id)
			}
		}
		slices.Sort(got)
		if got := strings.Join(got, " "); got != row.want {
			t.Errorf("%s: got %q, want %q", row.name, got, row.want)
		}
	}
}

func TestBaselinesWantSeveralCustomers(t *testing.T) {
	same := []bonafide.Complaint{complaint("1", "A", "0700", "one letter of mine"), complaint("2", "A", "0700", "one letter of mine"), complaint("3", "A", "0700", "one letter of mine")}
	for i, of := range []func([]bonafide.Complaint) Prediction{ExactDuplicates, SharedPhone, SharedIdentifierAndText} {
		if p := of(same); len(p.Levels) != 0 {
			t.Errorf("baseline %d accuses one customer who came back", i+1)
		}
	}
}

// TestHardness keeps worlds neither trivial nor hopeless for the strongest
// baseline. With BONAFIDE_HARDNESS set it prints every figure, held worlds too.
func TestHardness(t *testing.T) {
	styles, seeds := []synth.Style{synth.Dev}, uint64(2)
	if os.Getenv("BONAFIDE_HARDNESS") != "" {
		styles, seeds = []synth.Style{synth.Dev, synth.Held, synth.Held2}, 9
	}
	for _, style := range styles {
		for _, ease := range []float64{0, 1} {
			scores := make([][]Scores, 3)
			for seed := range seeds {
				w := synth.New(synth.Config{Seed: seed, Style: style, Ease: ease, Lang: []string{"en", "zh", "pt"}[seed%3]})
				for i, of := range []func([]bonafide.Complaint) Prediction{ExactDuplicates, SharedPhone, SharedIdentifierAndText} {
					scores[i] = append(scores[i], Score(w.Truth, of(w.Complaints)))
				}
			}
			for i, name := range []string{"exact duplicates", "shared phone", "identifier and text"} {
				s := Sum(scores[i])
				t.Logf("%-5s ease %v %-20s recall %.3f, innocents accused %.4f, ring precision %.3f, ring recall %.3f, text-only accused %d of %d, routed clients %d of %d",
					style, ease, name, s.Recall, s.FalseRate, s.RingPrecision, s.RingRecall, s.TextOnlyAccused, s.TextOnly, s.RoutedAccused, s.RoutedClients)
				switch {
				case i < 2:
				case ease == 0 && (s.Recall < 0.15 || s.Recall > 0.6):
					t.Errorf("%s, hard: the strongest baseline finds %.2f, want 0.15 to 0.6", style, s.Recall)
				case ease == 0 && (s.FalseRate < 0.004 || s.FalseRate > 0.04):
					t.Errorf("%s, hard: the strongest baseline accuses %.3f of innocents, want 0.004 to 0.04", style, s.FalseRate)
				case ease == 1 && s.Recall < 0.97:
					t.Errorf("%s, easy: the strongest baseline finds %.2f, want nearly all", style, s.Recall)
				}
			}
		}
	}
}
