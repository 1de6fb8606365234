package imports

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// Every safeguard of docs/safeguards.md names a test of its own number, and every test
// that the page names exists in the package that it says.
func TestSafeguardsHaveTests(t *testing.T) {
	root := filepath.Join("..", "..")
	page, err := os.ReadFile(filepath.Join(root, "docs", "safeguards.md"))
	if err != nil {
		t.Fatal(err)
	}
	in := map[string]map[string]bool{} // packages by test
	declared := regexp.MustCompile(`(?m)^func (Test\w+|Fuzz\w+)\(`)
	err = filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, "_test.go") {
			return err
		}
		b, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(root, filepath.Dir(path))
		if err != nil {
			return err
		}
		if rel == "." {
			rel = module
		}
		for _, m := range declared.FindAllSubmatch(b, -1) {
			name := string(m[1])
			if in[name] == nil {
				in[name] = map[string]bool{}
			}
			in[name][filepath.ToSlash(rel)] = true
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	named := regexp.MustCompile(`(?:([a-z/]+): )?(Test\w+|Fuzz\w+)`)
	numbers := 0
	for line := range strings.Lines(string(page)) {
		cells := strings.Split(line, "|")
		var n int
		if _, err := fmt.Sscanf(line, "| %d |", &n); err != nil || len(cells) < 5 {
			continue
		}
		numbers++
		if n != numbers {
			t.Errorf("row %d is about safeguard %d", numbers, n)
		}
		own, pkg := false, ""
		for _, m := range named.FindAllStringSubmatch(cells[4], -1) {
			if m[1] != "" {
				pkg = m[1]
			}
			if !in[m[2]][pkg] {
				t.Errorf("safeguard %d: there is no %s in %s", n, m[2], pkg)
			}
			own = own || strings.HasPrefix(m[2], fmt.Sprintf("TestSafeguard%02d", n))
		}
		if !own {
			t.Errorf("safeguard %d has no test of its own", n)
		}
	}
	if numbers != 16 {
		t.Errorf("%d safeguards stand in the table, want 16", numbers)
	}
}
