package pipeline

import (
	"encoding/csv"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"bonafide"
	"bonafide/ring"
)

// people reads a file of person records with known clusters; to gives the complaint
// that a record would be part of, and the cluster it truly belongs to.
func people(t *testing.T, file string, to func(map[string]string) (bonafide.Complaint, string)) (cs []bonafide.Complaint, truth []string) {
	t.Helper()
	f, err := os.Open("../../shared/data/entity/" + file)
	if err != nil {
		t.Skip("the person records are not beside the project: ", err)
	}
	defer f.Close()
	r := csv.NewReader(f)
	r.TrimLeadingSpace = true
	rows, err := r.ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	for n, row := range rows[1:] {
		rec := map[string]string{}
		for i, h := range rows[0] {
			rec[strings.TrimSpace(h)] = strings.TrimSpace(row[i])
		}
		c, cluster := to(rec)
		c.ID, c.Text, c.Received = fmt.Sprint("P", n), "x", time.Unix(int64(n), 0)
		cs, truth = append(cs, c), append(truth, cluster)
	}
	return cs, truth
}

// TestPersonsAreLinked measures how well the normalisers tell that two records are one
// person, beside known truth. The figures stand in docs/evaluation.md.
func TestPersonsAreLinked(t *testing.T) {
	for _, tc := range []struct {
		file      string
		precision float64
		recall    float64
		to        func(map[string]string) (bonafide.Complaint, string)
	}{
		{"febrl_3.csv", 0.99, 0.85, func(r map[string]string) (bonafide.Complaint, string) {
			c := bonafide.Complaint{Customer: bonafide.Customer{
				Name: r["given_name"] + " " + r["surname"], IDNumber: r["soc_sec_id"], Region: r["state"],
				Address: strings.Join([]string{r["street_number"], r["address_1"], r["address_2"], r["suburb"], r["postcode"]}, ", "),
			}}
			return c, strings.Split(r["rec_id"], "-")[1]
		}},
		{"splink_fake_1000.csv", 0.99, 0.22, func(r map[string]string) (bonafide.Complaint, string) {
			c := bonafide.Complaint{Customer: bonafide.Customer{Name: r["first_name"] + " " + r["surname"], Email: r["email"], Region: r["city"]}}
			return c, r["cluster"]
		}},
	} {
		t.Run(tc.file, func(t *testing.T) {
			cs, truth := people(t, tc.file, tc.to)
			s := NewScanner(Config{Secret: []byte("test")})
			for i := range cs {
				if err := s.Add(t.Context(), &cs[i]); err != nil {
					t.Fatal(err)
				}
			}
			if err := s.extract(t.Context()); err != nil {
				t.Fatal(err)
			}
			of, _ := s.customers()
			measure(t, tc.file+", one customer", of, truth, tc.precision, tc.recall)
			// Besides, whoever shares a phone or a mailbox that the lender knew.
			u := ring.NewUnion(len(of))
			first := map[bonafide.Key]int32{}
			for i := range of {
				u.Join(int32(i), of[i])
				for _, k := range s.all[i].facts.Known {
					if j, ok := first[k.Key]; ok {
						u.Join(int32(i), j)
					} else {
						first[k.Key] = int32(i)
					}
				}
			}
			for i := range of {
				of[i] = u.Root(int32(i))
			}
			measure(t, tc.file+", or a known identifier shared", of, truth, 0.95, tc.recall)
		})
	}
}

// measure compares links, closed over chains, with the truth over all pairs.
func measure(t *testing.T, name string, of []int32, truth []string, leastPrecision, leastRecall float64) {
	t.Helper()
	linked, right, want := 0, 0, 0
	for i := range of {
		for j := i + 1; j < len(of); j++ {
			same := truth[i] == truth[j]
			if same {
				want++
			}
			if of[i] == of[j] {
				linked++
				if same {
					right++
				}
			}
		}
	}
	precision, recall := float64(right)/float64(linked), float64(right)/float64(want)
	t.Logf("%s: %d records, %d true pairs: precision %.4f, recall %.4f, F1 %.4f",
		name, len(of), want, precision, recall, 2*precision*recall/(precision+recall))
	if precision < leastPrecision || recall < leastRecall {
		t.Errorf("%s: precision %.4f or recall %.4f fell below %.2f and %.2f", name, precision, recall, leastPrecision, leastRecall)
	}
}
