package casework

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// forbidden are the words of package bonafide that say what is thought of who
// may stand behind a complaint.
var forbidden = []string{"Verdict", "Ring", "Tag", "Level", "Link", "Screening"}

// spoken returns the identifiers of package bonafide that a file uses and that
// start with a forbidden word, and the imports a track must not have.
func spoken(t *testing.T, name string, src any) []string {
	t.Helper()
	f, err := parser.ParseFile(token.NewFileSet(), name, src, parser.SkipObjectResolution)
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	local := ""
	for _, i := range f.Imports {
		path := strings.Trim(i.Path.Value, `"`)
		if path == "bonafide" {
			local = "bonafide"
			if i.Name != nil {
				local = i.Name.Name
			}
			if local == "." {
				out = append(out, "import . bonafide")
			}
		} else if strings.HasPrefix(path, "bonafide/") {
			out = append(out, "import "+path)
		}
	}
	ast.Inspect(f, func(n ast.Node) bool {
		if s, ok := n.(*ast.SelectorExpr); ok {
			x, ok := s.X.(*ast.Ident)
			if ok && x.Name == local && slices.ContainsFunc(forbidden, func(w string) bool { return strings.HasPrefix(s.Sel.Name, w) }) {
				out = append(out, "bonafide."+s.Sel.Name)
			}
		}
		return true
	})
	return out
}

// The track of a complaint knows nothing of what is thought of those behind it:
// what it does not know cannot delay it.
func TestTrackKnowsNoSuspicion(t *testing.T) {
	names, err := filepath.Glob("*.go")
	if err != nil || len(names) < 5 {
		t.Fatalf("got %v, %v", names, err)
	}
	for _, name := range names {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		src, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range spoken(t, name, src) {
			t.Errorf("%s: %s", name, s)
		}
	}
}

// The test itself must tell right from wrong.
func TestSpoken(t *testing.T) {
	for src, want := range map[string][]string{
		"package p\nimport \"bonafide\"\nvar x bonafide.Verdict":                {"bonafide.Verdict"},
		"package p\nimport b \"bonafide\"\nvar x = b.Level2":                    {"bonafide.Level2"},
		"package p\nimport b \"bonafide\"\nfunc f(r []*b.Ring, s b.Tag) {}":     {"bonafide.Ring", "bonafide.Tag"},
		"package p\nimport . \"bonafide\"":                                      {"import . bonafide"},
		"package p\nimport \"bonafide/ring\"\nvar x ring.Found":                 {"import bonafide/ring"},
		"package p\nimport \"bonafide\"\nvar x = bonafide.Invalid":              nil,
		"package p\ntype Ring int\nvar bonafide struct{ Kind int }\nvar y Ring": nil,
	} {
		if got := spoken(t, "p.go", src); !slices.Equal(got, want) {
			t.Errorf("%s: got %v, want %v", src, got, want)
		}
	}
}
