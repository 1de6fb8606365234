package store

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// acrossTenants are the functions and constants whose statements are about all
// tenants, each with the reason.
var acrossTenants = map[string]string{
	"Claim":               "workers serve every tenant; a job says whose it is",
	"Finish":              "a job's id is unique among all tenants",
	"Retry":               "likewise",
	"Bury":                "likewise",
	"Release":             "an owner gives back what it holds, of every tenant",
	"Renew":               "an owner holds on to what it has, of every tenant",
	"Jobs":                "operators see the queue",
	"KeyByHash":           "the key says whose it is",
	"PersonByLogin":       "a login is one person's among all tenants",
	"PersonBySubject":     "likewise",
	"PasskeyByCredential": "the passkey says whose it is",
	"SessionByHash":       "the session says whose it is",
	"ConfirmationByHash":  "the question says whose it is",
	"ExpireSessions":      "the clock runs for every tenant",
	"ExpireTags":          "the clock runs for every tenant; each tag is then changed with its tenant",
	"PurgeAnswers":        "the clock runs for every tenant",
	"Addressed":           "an object is swept only if it is nobody's",
	"Addresses":           "originals of every tenant stand in one place",
	"ClaimDeliveries":     "one worker delivers for every tenant; a delivery says whose it is",
}

// ownIDs are the tables whose rows are tenants, or belong to the database.
var ownIDs = []string{"tenant", "meta", "migration", "attempt"}

var (
	usesTable = regexp.MustCompile(`\b(?:FROM|JOIN|UPDATE|INTO)\s+([a-z_]+)`)
	ofTenant  = regexp.MustCompile(`\btenant = (?:\$\d+|[a-z]+\.tenant)`)
	newRows   = regexp.MustCompile(`\bINSERT INTO [a-z_]+ \(tenant,`)
)

// sqlText joins the literals of an expression; what is computed leaves a mark.
func sqlText(e ast.Expr) (text string, literal bool) {
	switch e := e.(type) {
	case *ast.BasicLit:
		if e.Kind != token.STRING {
			return "", false
		}
		s, err := strconv.Unquote(e.Value)
		return s, err == nil
	case *ast.BinaryExpr:
		a, okA := sqlText(e.X)
		b, okB := sqlText(e.Y)
		return a + b, okA || okB
	case *ast.ParenExpr:
		return sqlText(e.X)
	}
	return "‹›", false
}

// unguarded returns what a statement does to tenants' tables without saying whose.
func unguarded(q string) []string {
	if strings.Contains(q, "CREATE TABLE") {
		return nil
	}
	var used []string
	for _, m := range usesTable.FindAllStringSubmatch(q, -1) {
		isTable := slices.ContainsFunc(tables, func(tb table) bool { return tb.name == m[1] })
		if isTable && !slices.Contains(ownIDs, m[1]) {
			used = append(used, m[1])
		}
	}
	if len(used) > len(ofTenant.FindAllString(q, -1))+len(newRows.FindAllString(q, -1)) {
		return used
	}
	return nil
}

// Every statement on tenants' data says whose it is, or stands on the short list.
func TestEveryStatementNamesItsTenant(t *testing.T) {
	files, err := os.ReadDir(".")
	if err != nil {
		t.Fatal(err)
	}
	statements, excused := 0, map[string]bool{}
	for _, f := range files {
		if !strings.HasSuffix(f.Name(), ".go") || strings.HasSuffix(f.Name(), "_test.go") {
			continue
		}
		fset := token.NewFileSet()
		file, err := parser.ParseFile(fset, f.Name(), nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		for _, decl := range file.Decls {
			ast.Inspect(decl, func(n ast.Node) bool {
				e, ok := n.(ast.Expr)
				if !ok {
					return true
				}
				q, literal := sqlText(e)
				if !literal {
					return true
				}
				if !usesTable.MatchString(q) {
					return false
				}
				statements++
				if used := unguarded(q); used != nil {
					where := declName(decl)
					if acrossTenants[where] == "" {
						t.Errorf("%s: %s uses %v and does not say of which tenant:\n%s", fset.Position(e.Pos()), where, used, q)
					}
					excused[where] = true
				}
				return false
			})
		}
	}
	if statements < 60 {
		t.Errorf("%d statements found: the test looks in the wrong place", statements)
	}
	for name := range acrossTenants {
		if !excused[name] {
			t.Errorf("%s needs no excuse: take it off the list", name)
		}
	}
}

// declName names a function or a constant.
func declName(d ast.Decl) string {
	switch d := d.(type) {
	case *ast.FuncDecl:
		return d.Name.Name
	case *ast.GenDecl:
		for _, s := range d.Specs {
			if v, ok := s.(*ast.ValueSpec); ok && len(v.Names) > 0 {
				return v.Names[0].Name
			}
		}
	}
	return ""
}

// The rule itself must tell right from wrong.
func TestUnguarded(t *testing.T) {
	for q, want := range map[string]bool{
		`SELECT id FROM tag WHERE tenant = $1`: false,
		`SELECT id FROM tag WHERE id = $1`:     true,
		`DELETE FROM tag`:                      true,
		`UPDATE tag SET tenant = $2`:           false, // no method moves rows between tenants
		`SELECT 1 FROM complaint c JOIN subject s ON s.tenant = c.tenant WHERE c.tenant = $1`:             false,
		`SELECT 1 FROM complaint c JOIN subject s ON s.id = c.subject WHERE c.tenant = $1`:                true,
		`DELETE FROM trace WHERE tenant = $1 AND seq IN (SELECT seq FROM complaint WHERE subject = $2)`:   true,
		`INSERT INTO record_version (tenant, id) SELECT tenant, id FROM record WHERE tenant = $1`:         false,
		`INSERT INTO record_version (tenant, id) SELECT tenant, id FROM record`:                           true,
		`SELECT value FROM meta WHERE name = $1`:                                                          false,
		`SELECT id FROM event WHERE tenant = $1 UNION SELECT id FROM event WHERE ring = $2`:               true,
		`SELECT v.value, (SELECT digest FROM complaint WHERE tenant = $1 AND id = v.value) FROM unnest()`: false,
	} {
		if got := unguarded(q) != nil; got != want {
			t.Errorf("unguarded(%s) = %v, want %v", q, got, want)
		}
	}
}
