package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"bonafide"
	"bonafide/app"
	"bonafide/store"
)

// lender makes a data directory with an investigator in it, and a case.
func lender(t *testing.T) (dir string) {
	t.Helper()
	dir = t.TempDir()
	cfg := app.Defaults()
	cfg.Data, cfg.Listen, cfg.LogLevel = dir, "127.0.0.1:0", "error"
	set := settings{}
	parts, err := set.parts(cfg, os.Stderr)
	if err != nil {
		t.Fatal(err)
	}
	a, err := app.New(t.Context(), cfg, parts)
	if err != nil {
		t.Fatal(err)
	}
	defer a.Close()
	if _, _, err := a.Auth.AddPerson(t.Context(), bonafide.System("test"), bonafide.Person{Tenant: app.Main, Login: "ivo", Name: "Ivo", Roles: []bonafide.Role{bonafide.RoleInvestigator}}, "made-up-harbour"); err != nil {
		t.Fatal(err)
	}
	return dir
}

// program is this program as a process of its own.
func program(t *testing.T, args ...string) *exec.Cmd {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	return &exec.Cmd{Path: self, Args: append([]string{"bonafide"}, args...)}
}

func runs(t *testing.T, args ...string) string {
	t.Helper()
	out, err := program(t, args...).CombinedOutput()
	if err != nil {
		t.Fatalf("%s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return string(out)
}

func itemArgs(dir string, files ...string) []string {
	return append([]string{"item", "add", "1", "--data", dir, "--as", "ivo", "--source", "archive", "--extractor", "Ivo", "--second", "Sela", "--tool", "export 1", "--place", "office", "--public"}, files...)
}

// held reads what a data directory holds.
func held(t *testing.T, dir string) (items []store.ItemRow, seals []store.Seal) {
	t.Helper()
	cfg := app.Defaults()
	cfg.Data = dir
	db, err := app.Open(t.Context(), cfg, false)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if err := db.View(t.Context(), func(tx *store.Tx) error {
		c, err := tx.CaseByNumber(t.Context(), app.Main, 1)
		if err != nil {
			return err
		}
		if items, err = tx.Items(t.Context(), app.Main, c.ID); err != nil {
			return err
		}
		seals, err = tx.Seals(t.Context(), app.Main, c.ID, "")
		return err
	}); err != nil {
		t.Fatal(err)
	}
	rep, err := db.VerifyLog(context.WithoutCancel(t.Context()), app.Main, "", nil)
	if err != nil || rep.Problem != nil {
		t.Fatalf("the log: %v %v", rep.Problem, err)
	}
	return items, seals
}

// kill runs the program and kills it after a while; it reports whether it had ended before.
func kill(t *testing.T, after time.Duration, args ...string) (out string, ended bool) {
	t.Helper()
	cmd := program(t, args...)
	var b bytes.Buffer
	cmd.Stdout, cmd.Stderr = &b, &b
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	timer := time.AfterFunc(after, func() { _ = cmd.Process.Kill() })
	err := cmd.Wait()
	return b.String(), err == nil && timer.Stop()
}

// Killed while it takes large files in and while it writes a pack, the program loses nothing
// that it said it has, and nothing is half there: each registered item is whole, no pack
// stands under its name unless it is, and the log is sound.
func TestKilledWhileTakingInAndPacking(t *testing.T) {
	if testing.Short() {
		t.Skip("takes 20 seconds")
	}
	dir := lender(t)
	runs(t, "case", "begin", "--data", dir, "--as", "ivo", "--title", "One", "--reason", "heard of it")
	large := filepath.Join(t.TempDir(), "large.bin")
	r := rand.New(rand.NewPCG(1, 2))
	b := make([]byte, 48<<20)
	for i := range b {
		b[i] = byte(r.Uint32())
	}
	if err := os.WriteFile(large, b, 0o600); err != nil {
		t.Fatal(err)
	}
	said, killed := 0, 0
	for round := range 12 {
		out, ended := kill(t, time.Duration(50+r.IntN(700))*time.Millisecond, itemArgs(dir, large, large)...)
		said += strings.Count(out, "sha256")
		if !ended {
			killed++
		}
		items, _ := held(t, dir)
		if len(items) < said {
			t.Fatalf("round %d: %d items, and it said it had %d", round, len(items), said)
		}
		said = len(items) // it may have been killed before it could say so
	}
	if out := runs(t, "item", "check", "--data", dir, "--as", "ivo"); !strings.Contains(out, " 0 are not what they were") {
		t.Error(out)
	}
	packs := t.TempDir()
	torn := 0
	for range 12 {
		_, ended := kill(t, time.Duration(20+r.IntN(900))*time.Millisecond, "pack", "1", "--for", "lawyer", "--data", dir, "--as", "ivo", "--to", packs)
		if !ended {
			torn++
		}
		found, err := filepath.Glob(filepath.Join(packs, "*.zip"))
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range found {
			runs(t, "verify", f)
		}
		held(t, dir)
	}
	runs(t, "pack", "1", "--for", "lawyer", "--data", dir, "--as", "ivo", "--to", packs)
	_, seals := held(t, dir)
	if len(seals) != 1 {
		t.Errorf("%d seals of a case that did not change", len(seals))
	}
	t.Logf("%d of 12 intakes and %d of 12 packs were killed; %d items", killed, torn, said)
	if killed < 3 || torn < 2 {
		t.Error("too few were killed for the test to show anything")
	}
}

// An earlier seal is written again with the same bytes. A file that is there already is
// neither written over nor followed, and what a killed run left disturbs nobody.
func TestPackIsNeverWrittenOver(t *testing.T) {
	dir := lender(t)
	runs(t, "case", "begin", "--data", dir, "--as", "ivo", "--title", "One", "--reason", "heard of it")
	files := t.TempDir()
	for _, name := range []string{"a.txt", "b.txt"} {
		if err := os.WriteFile(filepath.Join(files, name), []byte(name), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	runs(t, itemArgs(dir, filepath.Join(files, "a.txt"))...)
	packs := t.TempDir()
	args := func(more ...string) []string {
		return append([]string{"pack", "1", "--for", "lawyer", "--data", dir, "--as", "ivo", "--to", packs}, more...)
	}
	first := filepath.Join(packs, "case-1-1-lawyer.zip")
	victim := filepath.Join(files, "victim")
	if err := os.WriteFile(victim, []byte("precious"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, link := range []string{first + ".part", first} { // somebody expects the name
		if err := os.Symlink(victim, link); err != nil {
			t.Fatal(err)
		}
	}
	fails := func(want string, args ...string) {
		t.Helper()
		out, err := program(t, args...).CombinedOutput()
		if err == nil || !strings.Contains(string(out), want) {
			t.Errorf("%v: %v\n%s", args, err, out)
		}
	}
	fails("is there already and is another file", args()...)
	if err := os.Remove(first); err != nil {
		t.Fatal(err)
	}
	runs(t, args()...)
	if b, err := os.ReadFile(victim); err != nil || string(b) != "precious" {
		t.Errorf("another file was written over: %q, %v", b, err)
	}
	st, err := os.Lstat(first)
	if err != nil || st.Mode() != 0o600 {
		t.Fatalf("the pack has mode %v, %v", st.Mode(), err)
	}
	sum, _ := fileSum(t, first)
	if out := runs(t, args()...); !strings.Contains(out, "was there already, with the same bytes") {
		t.Error(out)
	}
	if now, err := os.Lstat(first); err != nil || !os.SameFile(st, now) || !st.ModTime().Equal(now.ModTime()) {
		t.Errorf("the same pack was written over: %v", err)
	}
	if err := os.Remove(first + ".part"); err != nil {
		t.Fatal(err)
	}
	left := filepath.Join(packs, "bonafide-1.part") // of a run that was killed
	if err := os.WriteFile(left, []byte("half"), 0o600); err != nil {
		t.Fatal(err)
	}
	runs(t, itemArgs(dir, filepath.Join(files, "b.txt"))...)
	runs(t, args()...)
	if err := os.Remove(first); err != nil {
		t.Fatal(err)
	}
	runs(t, args("--seal", "1")...)
	if again, _ := fileSum(t, first); again != sum {
		t.Error("the first seal gave other bytes")
	}
	if _, seals := held(t, dir); len(seals) != 2 {
		t.Errorf("%d seals, want 2", len(seals))
	}
	if err := os.WriteFile(first, []byte("another"), 0o600); err != nil {
		t.Fatal(err)
	}
	fails("is there already and is another file", args("--seal", "1")...)
	if b, err := os.ReadFile(first); err != nil || string(b) != "another" {
		t.Errorf("a file that was there was written over: %v", err)
	}
	fails("no such sealed pack", args("--seal", "9")...)
	fails("numbered from 1", args("--seal=-1")...)
	fails("--seal", args("--seal", "1", "--anew")...)
	found, err := os.ReadDir(packs)
	if err != nil || len(found) != 3 {
		t.Errorf("%v, %v: want two packs and what was left before", found, err)
	}
}

// Checking originals removes nothing, not even what nobody registered.
func TestItemCheckRemovesNothing(t *testing.T) {
	dir := lender(t)
	runs(t, "case", "begin", "--data", dir, "--as", "ivo", "--title", "One", "--reason", "heard of it")
	name := strings.Repeat("0", 64)
	folder := filepath.Join(dir, "evidence", "objects", name[:2])
	if err := os.MkdirAll(folder, 0o700); err != nil {
		t.Fatal(err)
	}
	old := time.Now().Add(-48 * time.Hour)
	for _, path := range []string{filepath.Join(folder, name), filepath.Join(dir, "evidence", "spool", "x.part")} {
		if err := os.WriteFile(path, []byte("x"), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chtimes(path, old, old); err != nil {
			t.Fatal(err)
		}
	}
	if out, err := program(t, "item", "check", "--data", dir, "--as", "ivo").CombinedOutput(); err == nil || !strings.Contains(string(out), "1 originals read, 1 are not what they were") {
		t.Errorf("%v\n%s", err, out)
	}
	for _, path := range []string{filepath.Join(folder, name), filepath.Join(dir, "evidence", "spool", "x.part")} {
		if _, err := os.Stat(path); err != nil {
			t.Error(err)
		}
	}
}

// A thousand items in a pack: within a minute to build and twenty seconds to verify.
func TestThousandItemsInAPack(t *testing.T) {
	if testing.Short() {
		t.Skip("takes half a minute")
	}
	dir := lender(t)
	runs(t, "case", "begin", "--data", dir, "--as", "ivo", "--title", "Many", "--reason", "heard of it")
	files := t.TempDir()
	var names []string
	r := rand.New(rand.NewPCG(3, 4))
	for i := range 1000 {
		name := filepath.Join(files, fmt.Sprintf("item-%04d.txt", i))
		b := bytes.Repeat(fmt.Appendf(nil, "line %d %d\n", i, r.Uint64()), 4000)
		if err := os.WriteFile(name, b, 0o600); err != nil {
			t.Fatal(err)
		}
		names = append(names, name)
	}
	start := time.Now()
	runs(t, itemArgs(dir, names...)...)
	taken := time.Since(start)
	packs := t.TempDir()
	start = time.Now()
	runs(t, "pack", "1", "--for", "lawyer", "--data", dir, "--as", "ivo", "--to", packs)
	built := time.Since(start)
	first := filepath.Join(packs, "case-1-1-lawyer.zip")
	sum, size := fileSum(t, first)
	start = time.Now()
	out := runs(t, "verify", first)
	verified := time.Since(start)
	runs(t, "pack", "1", "--for", "lawyer", "--data", dir, "--as", "ivo", "--to", packs)
	if again, _ := fileSum(t, first); again != sum {
		t.Error("the same case gave other bytes")
	}
	t.Logf("1,000 items, %.0f MB: taken in %v, built %v, verified %v", float64(size)/1e6, taken.Round(time.Millisecond), built.Round(time.Millisecond), verified.Round(time.Millisecond))
	if !strings.Contains(out, "1000 items") || built > time.Minute || verified > 20*time.Second {
		t.Errorf("built in %v, verified in %v\n%s", built, verified, out)
	}
}

func fileSum(t *testing.T, path string) (string, int64) {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	h := sha256.New()
	n, err := io.Copy(h, f)
	if err != nil {
		t.Fatal(err)
	}
	return fmt.Sprintf("%x", h.Sum(nil)), n
}

// What is wrong with a pack is named, and the exit status says so; a key that was told over
// another channel finds a pack that was made anew.
func TestVerifyNamesWhatIsWrong(t *testing.T) {
	dir := lender(t)
	runs(t, "case", "begin", "--data", dir, "--as", "ivo", "--title", "One", "--reason", "heard of it")
	file := filepath.Join(t.TempDir(), "a.txt")
	if err := os.WriteFile(file, []byte("what was seen"), 0o600); err != nil {
		t.Fatal(err)
	}
	runs(t, itemArgs(dir, file)...)
	packs := t.TempDir()
	out := runs(t, "pack", "1", "--for", "lawyer", "--data", dir, "--as", "ivo", "--to", packs)
	path := filepath.Join(packs, "case-1-1-lawyer.zip")
	_, key, _ := strings.Cut(out, "\nkey ")
	key, _, _ = strings.Cut(key, "\n")
	if out := runs(t, "verify", "--key", key, path); strings.Contains(out, "came with the pack") {
		t.Error(out)
	}
	fails := func(want string, args ...string) {
		t.Helper()
		out, err := program(t, args...).CombinedOutput()
		if err == nil || !strings.Contains(string(out), want) {
			t.Errorf("%v: %v\n%s", args, err, out)
		}
	}
	other := lender(t)
	runs(t, "case", "begin", "--data", other, "--as", "ivo", "--title", "One", "--reason", "heard of it")
	runs(t, itemArgs(other, file)...)
	otherPacks := t.TempDir()
	runs(t, "pack", "1", "--for", "lawyer", "--data", other, "--as", "ivo", "--to", otherPacks)
	fails("key", "verify", "--key", key, filepath.Join(otherPacks, "case-1-1-lawyer.zip"))
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	i := bytes.Index(b, []byte("what was seen"))
	b[i] = 'W'
	forged := filepath.Join(t.TempDir(), "forged.zip")
	if err := os.WriteFile(forged, b, 0o600); err != nil {
		t.Fatal(err)
	}
	fails("data/items/0001", "verify", forged)
	fails("there is no case 7", "pack", "7", "--data", dir, "--as", "ivo")
	fails("nobody signs in", "pack", "1", "--for", "lawyer", "--data", dir, "--as", "nobody")
	fails("somebody else than the extractor", append(itemArgs(dir, file), "--second", "Ivo")...)
	fails("cannot be read", "verify", filepath.Join(packs, "none.zip"))
}
