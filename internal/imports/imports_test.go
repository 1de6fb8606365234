// Package imports holds the dependency rule of the architecture as a test.
package imports

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// module is the path of this module and of its root package.
const module = "bonafide"

// stages are the folders of the steps of the work; each folder below signal is a
// stage of its own.
var stages = []string{"intake", "normalize", "signal", "ring", "merit", "policy", "learn", "contact", "casework", "casefile", "audit", "evidence", "exchange", "report"}

// layers are the packages above the stages, each with the parts of the module it
// may import: cmd → app → server, engine and outbox → pipeline → stages → root, and
// store beside them, which knows the evidence log alone.
var layers = map[string][]string{
	"cmd":      {"app", "engine", "server", "pipeline", "store", "stage", "internal", "root"},
	"app":      {"engine", "outbox", "server", "pipeline", "store", "stage", "internal", "root"},
	"server":   {"server", "pipeline", "store", "stage", "root"},
	"engine":   {"pipeline", "store", "stage", "root"},
	"outbox":   {"store", "stage", "root"},
	"pipeline": {"stage", "root"},
	"store":    {"evidence", "root"},
	"stage":    {"root"},
	"root":     {},
	"internal": {"app", "server", "pipeline", "store", "stage", "internal", "root"},
	"bench":    {"pipeline", "store", "stage", "internal", "root"},
}

// libraries are the modules of others that a stage may use: they compute and
// neither store nor serve.
var libraries = []string{
	"cel.dev/cel-go", "codeberg.org/go-pdf/fpdf", "filippo.io/age", "github.com/BurntSushi/toml", "github.com/cespare/xxhash/v2",
	"github.com/cloudflare/circl", "github.com/digitorus/timestamp", "github.com/emmansun/gmsm", "github.com/gabriel-vasile/mimetype", "github.com/makiuchi-d/gozxing", "github.com/nyaruka/phonenumbers",
	"github.com/minio/minio-go/v7", "github.com/pdfcpu/pdfcpu", "github.com/xuri/excelize/v2", "golang.org/x/crypto", "golang.org/x/image", "golang.org/x/mod", "golang.org/x/text", "gonum.org/v1/gonum",
}

// A listed is what go list tells of a package.
type listed struct {
	ImportPath string
	Dir        string
	GoFiles    []string
	Imports    []string // of GoFiles; tests may import what they like
}

// part names where a package of the module stands: a layer or "stage".
func part(path string) string {
	if path == module {
		return "root"
	}
	top, _, _ := strings.Cut(strings.TrimPrefix(path, module+"/"), "/")
	if slices.Contains(stages, top) {
		return "stage"
	}
	return top
}

// stage names the stage a package belongs to.
func stage(path string) string {
	parts := strings.Split(strings.TrimPrefix(path, module+"/"), "/")
	if parts[0] == "signal" && len(parts) > 1 {
		return parts[0] + "/" + parts[1]
	}
	return parts[0]
}

func within(path, dir string) bool { return path == dir || strings.HasPrefix(path, dir+"/") }

// forbidden returns what p imports against the dependency rule.
func forbidden(p listed) []string {
	var out []string
	from := part(p.ImportPath)
	wrong := func(to, why string) { out = append(out, fmt.Sprintf("%s imports %s: %s", p.ImportPath, to, why)) }
	may, known := layers[from]
	if !known {
		return []string{fmt.Sprintf("%s: a part that the dependency rule does not know: add it to stages or layers", p.ImportPath)}
	}
	for _, to := range p.Imports {
		ours := within(to, module)
		first, _, _ := strings.Cut(to, "/")
		std := !ours && !strings.Contains(first, ".")
		switch {
		case to == "database/sql" || within(to, "modernc.org/sqlite") || within(to, "github.com/jackc/pgx/v5"):
			if from != "store" && from != "internal" {
				wrong(to, "only store talks to the database")
			}
		case to == "net/http" && (from == "stage" || from == "root" || from == "pipeline" || from == "store" || from == "engine"):
			wrong(to, "only server, outbox, app and cmd speak HTTP")
		case to == "crypto/rand" && from != "app" && from != "cmd":
			wrong(to, "random sources are injected by app and cmd")
		case std:
		case !ours:
			if from == "root" {
				wrong(to, "the root package imports the standard library only")
			}
			if from == "stage" && !slices.ContainsFunc(libraries, func(l string) bool { return within(to, l) }) {
				wrong(to, "not one of the algorithm libraries that stages may use")
			}
		case from == "stage" && part(to) == "stage":
			if stage(to) != stage(p.ImportPath) {
				wrong(to, "stages do not import each other")
			}
		case from == "store" && stage(to) == "evidence":
		case from != "root" && within(to, p.ImportPath): // its own folders
		case !slices.Contains(may, part(to)):
			wrong(to, fmt.Sprintf("%s may import %s of this module", from, list(may)))
		}
	}
	return out
}

func list(parts []string) string {
	if len(parts) == 0 {
		return "nothing"
	}
	return strings.Join(parts, ", ")
}

// clocks and dice are what only app and cmd call; bench is there to measure
// time. Of math/rand everything that takes a seed or a source may be used.
var (
	clocks = []string{"Now", "Since", "Until"}
	seeded = []string{"New", "NewPCG", "NewChaCha8", "NewSource", "NewZipf", "Rand", "Source", "Source64", "PCG", "ChaCha8", "Zipf"}
)

// used returns what a file of a package uses against the rule. src is nil to
// read the file.
func used(path, file string, src any) ([]string, error) {
	from := part(path)
	if from == "app" || from == "cmd" {
		return nil, nil
	}
	fset := token.NewFileSet()
	f, err := parser.ParseFile(fset, file, src, parser.SkipObjectResolution)
	if err != nil {
		return nil, err
	}
	names := map[string]string{} // local name → import path
	for _, i := range f.Imports {
		to, err := strconv.Unquote(i.Path.Value)
		if err != nil {
			return nil, err
		}
		switch to {
		case "time", "math/rand", "math/rand/v2", "net/http":
			name := strings.TrimPrefix(filepath.Base(strings.TrimSuffix(to, "/v2")), ".")
			if i.Name != nil {
				name = i.Name.Name
			}
			names[name] = to
		}
	}
	var out []string
	ast.Inspect(f, func(n ast.Node) bool {
		s, ok := n.(*ast.SelectorExpr)
		if !ok {
			return true
		}
		x, ok := s.X.(*ast.Ident)
		if !ok {
			return true
		}
		why := ""
		switch to := names[x.Name]; {
		case to == "time" && slices.Contains(clocks, s.Sel.Name) && from != "bench":
			why = "take the time from the caller"
		case strings.HasPrefix(to, "math/rand") && !slices.Contains(seeded, s.Sel.Name):
			why = "take a seed or a source from the caller"
		case to == "net/http" && from != "server" && slices.Contains([]string{"ResponseWriter", "Handler", "HandlerFunc", "HandleFunc", "ServeMux", "NewServeMux"}, s.Sel.Name):
			why = "handlers stand in server"
		}
		if why != "" {
			at := fset.Position(s.Pos())
			out = append(out, fmt.Sprintf("%s:%d: %s.%s: %s", filepath.Base(at.Filename), at.Line, x.Name, s.Sel.Name, why))
		}
		return true
	})
	return out, nil
}

func TestModuleKeepsDependencyRule(t *testing.T) {
	cmd := exec.Command("go", "list", "-json=ImportPath,Dir,GoFiles,Imports", module+"/...")
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	body, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list: %v\n%s", err, &stderr)
	}
	d := json.NewDecoder(bytes.NewReader(body))
	roots := 0
	for {
		var p listed
		if err := d.Decode(&p); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		if p.ImportPath == module {
			roots++
		}
		for _, s := range forbidden(p) {
			t.Error(s)
		}
		for _, name := range p.GoFiles {
			bad, err := used(p.ImportPath, filepath.Join(p.Dir, name), nil)
			if err != nil {
				t.Fatal(err)
			}
			for _, s := range bad {
				t.Errorf("%s: %s", p.ImportPath, s)
			}
		}
	}
	if roots != 1 {
		t.Errorf("go list names the root package %d times, want once", roots)
	}
}

// The rule itself must tell right from wrong.
func TestForbiddenImports(t *testing.T) {
	for _, c := range []struct {
		from, to string
		want     string // the reason, or "" where the import is allowed
	}{
		{"bonafide", "log/slog", ""},
		{"bonafide", "github.com/BurntSushi/toml", "the root package imports the standard library only"},
		{"bonafide", "bonafide/ring", "root may import nothing of this module"},
		{"bonafide/ring", "bonafide", ""},
		{"bonafide/ring", "bonafide/normalize", "stages do not import each other"},
		{"bonafide/signal/text", "bonafide/signal/identity", "stages do not import each other"},
		{"bonafide/signal/text", "bonafide/signal/text/fold", ""},
		{"bonafide/policy", "cel.dev/cel-go/cel", ""},
		{"bonafide/policy", "github.com/alecthomas/kong", "not one of the algorithm libraries that stages may use"},
		{"bonafide/report", "bonafide/store", "stage may import root of this module"},
		{"bonafide/report", "bonafide/pipeline", "stage may import root of this module"},
		{"bonafide/report", "bonafide/internal/synth", "stage may import root of this module"},
		{"bonafide/report", "net/http", "only server, outbox, app and cmd speak HTTP"},
		{"bonafide/casework", "database/sql", "only store talks to the database"},
		{"bonafide/evidence", "crypto/rand", "random sources are injected by app and cmd"},
		{"bonafide/pipeline", "bonafide/ring", ""},
		{"bonafide/pipeline", "bonafide/server/api", "pipeline may import stage, root of this module"},
		{"bonafide/server/api", "bonafide/server/auth", ""},
		{"bonafide/server/api", "bonafide/app", "server may import server, pipeline, store, stage, root of this module"},
		{"bonafide/server", "database/sql", "only store talks to the database"},
		{"bonafide/store", "database/sql", ""},
		{"bonafide/store", "bonafide/evidence", ""},
		{"bonafide/store", "bonafide/ring", "store may import evidence, root of this module"},
		{"bonafide/app", "bonafide/cmd/bonafide", "app may import engine, outbox, server, pipeline, store, stage, internal, root of this module"},
		{"bonafide/cmd/bonafide", "crypto/rand", ""},
	} {
		var want []string
		if c.want != "" {
			want = []string{c.from + " imports " + c.to + ": " + c.want}
		}
		got := forbidden(listed{ImportPath: c.from, Imports: []string{c.to}})
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("%s imports %s (-want +got):\n%s", c.from, c.to, d)
		}
	}
	got := forbidden(listed{ImportPath: "bonafide/util"})
	want := []string{"bonafide/util: a part that the dependency rule does not know: add it to stages or layers"}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("an unknown part (-want +got):\n%s", d)
	}
}

func TestUsedClocksAndDice(t *testing.T) {
	const src = `package p

import (
	"math/rand/v2"
	clock "time"
)

var now = clock.Now

func f(start clock.Time, r *rand.Rand) int {
	_ = clock.Since(start)
	_ = clock.Second
	return rand.N(3) + rand.New(rand.NewPCG(1, 2)).IntN(3)
}
`
	dice := "p.go:13: rand.N: take a seed or a source from the caller"
	times := []string{"p.go:8: clock.Now: take the time from the caller", "p.go:11: clock.Since: take the time from the caller"}
	for path, want := range map[string][]string{
		"bonafide/ring":           append(slices.Clone(times), dice),
		"bonafide/internal/synth": append(slices.Clone(times), dice),
		"bonafide/bench":          {dice},
		"bonafide/cmd/bonafide":   nil,
	} {
		got, err := used(path, "p.go", src)
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("%s (-want +got):\n%s", path, d)
		}
	}
	const handler = "package p\n\nimport \"net/http\"\n\nfunc h(http.ResponseWriter, *http.Request) {}\n"
	for path, want := range map[string][]string{
		"bonafide/server/api": nil,
		"bonafide/internal/x": {"p.go:5: http.ResponseWriter: handlers stand in server"},
	} {
		got, err := used(path, "p.go", handler)
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("%s (-want +got):\n%s", path, d)
		}
	}
}
