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
		_, ended := kill(t, time.Duration(20+r.IntN(900))*time.Millisecond, "pack", "1", "--data", dir, "--as", "ivo", "--to", packs)
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
	runs(t, "pack", "1", "--data", dir, "--as", "ivo", "--to", packs)
	_, seals := held(t, dir)
	if len(seals) != 1 {
		t.Errorf("%d seals of a case that did not change", len(seals))
	}
	t.Logf("%d of 12 intakes and %d of 12 packs were killed; %d items", killed, torn, said)
	if killed < 3 || torn < 2 {
		t.Error("too few were killed for the test to show anything")
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
	runs(t, "pack", "1", "--data", dir, "--as", "ivo", "--to", packs)
	built := time.Since(start)
	first := filepath.Join(packs, "case-1-1-police.zip")
	sum, size := fileSum(t, first)
	start = time.Now()
	out := runs(t, "verify", first)
	verified := time.Since(start)
	runs(t, "pack", "1", "--data", dir, "--as", "ivo", "--to", packs)
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
	out := runs(t, "pack", "1", "--data", dir, "--as", "ivo", "--to", packs)
	path := filepath.Join(packs, "case-1-1-police.zip")
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
	runs(t, "pack", "1", "--data", other, "--as", "ivo", "--to", otherPacks)
	fails("key", "verify", "--key", key, filepath.Join(otherPacks, "case-1-1-police.zip"))
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
	fails("nobody signs in", "pack", "1", "--data", dir, "--as", "nobody")
	fails("somebody else than the extractor", append(itemArgs(dir, file), "--second", "Ivo")...)
	fails("cannot be read", "verify", filepath.Join(packs, "none.zip"))
}
