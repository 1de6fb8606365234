package pipeline

import (
	"encoding/csv"
	"os"
	"path/filepath"
	"testing"

	"bonafide"
	"bonafide/intake"
	"bonafide/policy"
)

// scanFile scans a file of the real data that may lie beside the project.
func scanFile(t *testing.T, path string) *bonafide.Result {
	t.Helper()
	f, err := os.Open("../../shared/data/" + path)
	if err != nil {
		t.Skip("the real data is not beside the project: ", err)
	}
	defer f.Close()
	pack, err := policy.Load("nifa-2024")
	if err != nil {
		t.Fatal(err)
	}
	s := NewScanner(Config{Secret: []byte("test"), Policy: pack})
	r := intake.NewReader(intake.Options{Quarantine: func(bonafide.Quarantined) error { return nil }})
	err = r.Read(t.Context(), filepath.Base(path), f, func(c *bonafide.Complaint) error { return s.Add(t.Context(), c) })
	if err != nil {
		t.Fatal(err)
	}
	res, err := s.Finish(t.Context(), bonafide.Read{Accepted: r.Summary().Accepted}, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, v := range res.Complaints {
		if v.Level != bonafide.Information {
			t.Errorf("%s: %s stands at %s; the file has no identifiers", path, v.ID, v.Level)
		}
	}
	if len(res.Rings) > 0 {
		t.Errorf("%s: %d rings", path, len(res.Rings))
	}
	return res
}

func TestCFPBClustersAreFound(t *testing.T) {
	res := scanFile(t, "cfpb/complaints.csv")
	f, err := os.Open("../../shared/data/cfpb/clusters.csv")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	rows, err := csv.NewReader(f).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	template := map[string]string{}
	for _, tm := range res.Templates {
		for _, m := range tm.Members {
			template[m] = tm.ID
		}
	}
	clusters := map[string][]string{}
	for _, row := range rows[1:] {
		if row[2] == "multi_consumer" {
			clusters[row[1]] = append(clusters[row[1]], row[0])
		}
	}
	pairs, found := 0, 0
	for _, ms := range clusters {
		for i, a := range ms {
			for _, b := range ms[i+1:] {
				pairs++
				if template[a] != "" && template[a] == template[b] {
					found++
				}
			}
		}
	}
	recall := float64(found) / float64(pairs)
	t.Logf("pairs of multi_consumer clusters in one template: %d of %d, recall %.4f", found, pairs, recall)
	if recall < 0.97 {
		t.Errorf("recall %.4f, want at least 0.97", recall)
	}
}

// TestFooterJoinsNobody reads comments that share a footer. What they say themselves
// decides: only the same comment may become one template.
func TestFooterJoinsNobody(t *testing.T) {
	joined := 0
	for _, tm := range scanFile(t, "formletters/shared-footer-trap.csv").Templates {
		joined += len(tm.Members)
		t.Logf("%d comments: %s", len(tm.Members), tm.Skeleton)
	}
	if joined > 20 {
		t.Errorf("%d of 199 comments were joined", joined)
	}
}

func TestNeighboursAndCustomersStayUnaccused(t *testing.T) {
	scanFile(t, "zh/civic-complaints.csv")
	scanFile(t, "pt/reclamacoes.csv")
}

// TestOneLetterManySigners: 998 of the file's thousand rows are one letter; two
// are letters of their own, one of them in French.
func TestOneLetterManySigners(t *testing.T) {
	res := scanFile(t, "formletters/one-letter-many-signers.jsonl")
	if len(res.Templates) != 1 || len(res.Templates[0].Members) != 998 {
		t.Errorf("%d templates", len(res.Templates))
	}
}
