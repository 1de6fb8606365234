package custody

import (
	"bufio"
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	mrand "math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/emmansun/gmsm/sm3"

	"bonafide"
	"bonafide/evidence"
)

func newKeeper(t testing.TB, o Objects, now func() time.Time) (*Keeper, string) {
	t.Helper()
	spool := filepath.Join(t.TempDir(), "spool")
	k, err := NewKeeper(o, spool, rand.Reader, now)
	if err != nil {
		t.Fatal(err)
	}
	return k, spool
}

func inDirectory(t testing.TB) (Objects, string) {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "objects")
	o, err := OpenObjects(t.Context(), dir, Credentials{})
	if err != nil {
		t.Fatal(err)
	}
	return o, dir
}

// files counts the files below dir.
func files(t testing.TB, dir string) (n int) {
	t.Helper()
	err := filepath.WalkDir(dir, func(_ string, e os.DirEntry, err error) error {
		if err == nil && !e.IsDir() {
			n++
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func TestKeeper(t *testing.T) {
	each(t, func(t *testing.T, o Objects) {
		ctx := t.Context()
		k, spool := newKeeper(t, o, time.Now)
		content := append([]byte("a plain text that must not be found on the disk\n"), bytes.Repeat([]byte("line\n"), 30000)...)
		taken, err := k.TakeIn(ctx, bytes.NewReader(content), "letter.pdf", int64(len(content)))
		if err != nil {
			t.Fatal(err)
		}
		want := Digests{SHA256: sha256.Sum256(content), SM3: evidence.Digest(sm3.Sum(content)), Size: int64(len(content))}
		if taken.Digests != want {
			t.Errorf("digests %+v, want %+v", taken.Digests, want)
		}
		if !strings.HasPrefix(taken.Format.MIME, "text/plain") || len(taken.Format.Notes) != 1 || taken.Format.Notes[0] != (Note{NoteNameDiffers, "text/plain"}) {
			t.Errorf("format %+v", taken.Format)
		}
		if n := files(t, spool); n != 0 {
			t.Errorf("%d files are left in the spool", n)
		}
		c, err := k.Open(ctx, taken.Address, taken.Key)
		if err != nil {
			t.Fatal(err)
		}
		got, err := io.ReadAll(c)
		if err != nil || !bytes.Equal(got, content) {
			t.Errorf("reads otherwise: %v", err)
		}
		if err := c.Close(); err != nil {
			t.Error(err)
		}
		if _, err := k.Open(ctx, taken.Address, Key{}); !errors.Is(err, bonafide.Conflict) {
			t.Errorf("opened with another key: %v", err)
		}
		again, err := k.TakeIn(ctx, bytes.NewReader(content), "letter.txt", 1<<20)
		if err != nil {
			t.Fatal(err)
		}
		if again.Address == taken.Address || again.Key == taken.Key || again.Digests != taken.Digests {
			t.Error("the same content taken in again is the same object, or other content")
		}
		n, err := k.Check(ctx, func(address string, err error) { t.Errorf("%s: %v", address, err) })
		if n != 2 || err != nil {
			t.Errorf("Check = %d, %v", n, err)
		}
		for range 2 {
			if err := k.Remove(ctx, taken.Address); err != nil {
				t.Error(err)
			}
		}
		if _, err := k.Open(ctx, taken.Address, taken.Key); !errors.Is(err, bonafide.NotFound) {
			t.Errorf("opened what was removed: %v", err)
		}
	})
}

func TestTakeInLeavesNothingBehind(t *testing.T) {
	o, dir := inDirectory(t)
	k, spool := newKeeper(t, o, time.Now)
	ctx, cancel := context.WithCancel(t.Context())
	broken := errors.New("the line broke")
	for _, c := range []struct {
		name  string
		ctx   context.Context
		r     io.Reader
		limit int64
		want  error
	}{
		{"a byte too much", t.Context(), strings.NewReader("12345"), 4, bonafide.Invalid},
		{"3 GB where 100 MB are allowed", t.Context(), io.LimitReader(zeros{}, 3<<30), 100 << 20, bonafide.Invalid},
		{"the line breaks", t.Context(), io.MultiReader(bytes.NewReader(pattern(200000)), iotest.ErrReader(broken)), 1 << 20, broken},
		{"the caller goes", ctx, io.MultiReader(bytes.NewReader(pattern(200000)), onRead{cancel}, zeros{}), 1 << 40, context.Canceled},
	} {
		if taken, err := k.TakeIn(c.ctx, c.r, "x", c.limit); !errors.Is(err, c.want) || taken.Address != "" || taken.Key != (Key{}) {
			t.Errorf("%s: %v, %v, want %v", c.name, taken, err, c.want)
		}
		if n := files(t, spool) + files(t, dir); n != 0 {
			t.Errorf("%s: %d files are left", c.name, n)
		}
	}
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }

type onRead struct{ f func() }

func (r onRead) Read([]byte) (int, error) { r.f(); return 0, io.EOF }

// However large content is, memory is not.
func TestTakeInMemory(t *testing.T) {
	size := int64(256 << 20)
	if testing.Short() {
		size = 32 << 20
	}
	o, _ := inDirectory(t)
	k, _ := newKeeper(t, o, time.Now)
	r := &watcher{r: io.LimitReader(zeros{}, size)}
	runtime.GC()
	var before runtime.MemStats
	runtime.ReadMemStats(&before)
	taken, err := k.TakeIn(t.Context(), r, "x.bin", size)
	if err != nil {
		t.Fatal(err)
	}
	if grown := int64(r.peak) - int64(before.HeapInuse); grown > 8<<20 {
		t.Errorf("memory grew by %d bytes", grown)
	} else {
		t.Logf("%d bytes taken in with %d bytes of memory more", taken.Size, grown)
	}
}

// A watcher keeps the most memory that was in use while it was read.
type watcher struct {
	r    io.Reader
	n    int
	peak uint64
}

func (w *watcher) Read(p []byte) (int, error) {
	if w.n++; w.n%64 == 0 {
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		w.peak = max(w.peak, m.HeapInuse)
	}
	return w.r.Read(p)
}

func TestCheckNamesWhatWasAltered(t *testing.T) {
	each(t, func(t *testing.T, o Objects) {
		ctx := t.Context()
		k, _ := newKeeper(t, o, time.Now)
		var addresses []string
		for n := range 4 {
			taken, err := k.TakeIn(ctx, bytes.NewReader(pattern(n*100_000)), "", 1<<20)
			if err != nil {
				t.Fatal(err)
			}
			addresses = append(addresses, taken.Address)
		}
		// Other bytes are put under the address of the third.
		path, _ := spooled(t, []byte("forged"))
		if err := o.Put(ctx, addresses[2], path); err != nil {
			t.Fatal(err)
		}
		bad := map[string]error{}
		n, err := k.Check(ctx, func(address string, err error) { bad[address] = err })
		if n != 4 || err != nil || len(bad) != 1 || !errors.Is(bad[addresses[2]], bonafide.Conflict) {
			t.Errorf("Check = %d, %v: %v", n, err, bad)
		}
	})
}

func TestSweep(t *testing.T) {
	o, _ := inDirectory(t)
	now := time.Now()
	k, spool := newKeeper(t, o, func() time.Time { return now })
	var all []string
	for n := range 3 {
		taken, err := k.TakeIn(t.Context(), bytes.NewReader(pattern(n)), "", 100)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, taken.Address)
	}
	for _, name := range []string{"dead.part", "foreign"} {
		if err := os.WriteFile(filepath.Join(spool, name), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	known := func(address string) (bool, error) { return address == all[1], nil }
	if n, err := k.Sweep(t.Context(), time.Hour, known); n != 0 || err != nil {
		t.Errorf("Sweep of what is young = %d, %v", n, err)
	}
	now = now.Add(2 * time.Hour)
	broken := errors.New("the database is away")
	if n, err := k.Sweep(t.Context(), 24*time.Hour, func(string) (bool, error) { return false, broken }); n != 0 || err != nil {
		t.Errorf("Sweep of what is not old enough = %d, %v", n, err)
	}
	if n, err := k.Sweep(t.Context(), time.Hour, func(string) (bool, error) { return false, broken }); n != 1 || !errors.Is(err, broken) {
		t.Errorf("Sweep that knows nothing = %d, %v", n, err)
	}
	if n, err := k.Sweep(t.Context(), time.Hour, known); n != 2 || err != nil {
		t.Errorf("Sweep = %d, %v, want 2", n, err)
	}
	if _, err := o.Open(t.Context(), all[1]); err != nil {
		t.Errorf("what is known: %v", err)
	}
	if n := files(t, spool); n != 1 {
		t.Errorf("%d files in the spool, want the foreign one", n)
	}
}

// stocked takes n small files in and returns their addresses and keys.
func stocked(t *testing.T, k *Keeper, n int) (taken []Taken) {
	t.Helper()
	for range n {
		one, err := k.TakeIn(t.Context(), strings.NewReader("an original"), "", 100)
		if err != nil {
			t.Fatal(err)
		}
		taken = append(taken, one)
	}
	return taken
}

func opens(t *testing.T, k *Keeper, o Taken) error {
	t.Helper()
	c, err := k.Open(t.Context(), o.Address, o.Key)
	if err != nil {
		return err
	}
	defer c.Close()
	b, err := io.ReadAll(c)
	if err == nil && string(b) != "an original" {
		t.Errorf("reads otherwise: %q", b)
	}
	return err
}

func nothing(string) (bool, error) { return false, nil }

// Another database over the same place takes in and reads, and never removes anything:
// neither one with an identity of its own nor a keeper that was not told whose it is.
func TestOnlyTheOwnerSweeps(t *testing.T) {
	each(t, func(t *testing.T, o Objects) {
		ctx := t.Context()
		later := func() time.Time { return time.Now().Add(48 * time.Hour) }
		first, _ := newKeeper(t, o, later)
		for range 2 {
			if mine, err := first.Own(ctx, "first"); !mine || err != nil {
				t.Fatalf("Own of what is free or ours: %v, %v", mine, err)
			}
		}
		kept := stocked(t, first, 3)
		other, spool := newKeeper(t, o, later)
		if n, err := other.Sweep(ctx, 24*time.Hour, nothing); n != 0 || !errors.Is(err, bonafide.Conflict) {
			t.Errorf("Sweep by nobody = %d, %v", n, err)
		}
		if mine, err := other.Own(ctx, "second"); mine || err != nil {
			t.Fatalf("Own of what is another's: %v, %v", mine, err)
		}
		if n, err := first.Sweep(ctx, 24*time.Hour, func(string) (bool, error) { return true, nil }); n != 0 || err != nil {
			t.Errorf("Sweep by the owner = %d, %v", n, err) // nobody has taken anything in here but it
		}
		kept = append(kept, stocked(t, other, 1)...)
		if err := os.WriteFile(filepath.Join(spool, "x.part"), nil, 0o600); err != nil {
			t.Fatal(err)
		}
		if n, err := other.Sweep(ctx, 24*time.Hour, nothing); n != 0 || !errors.Is(err, bonafide.Conflict) || !strings.Contains(err.Error(), "another database") {
			t.Errorf("Sweep of what is another's = %d, %v", n, err)
		}
		if n := files(t, spool); n != 1 {
			t.Error("the spool was swept")
		}
		for _, k := range []*Keeper{first, other} {
			for _, x := range kept {
				if err := opens(t, k, x); err != nil {
					t.Error(err)
				}
			}
		}
		if mine, err := first.Own(ctx, "first"); !mine || err != nil {
			t.Errorf("Own after another asked: %v, %v", mine, err)
		}
		// Its owner does not know what is the other's.
		if n, err := first.Sweep(ctx, 24*time.Hour, nothing); n != 0 || !errors.Is(err, bonafide.Conflict) || !strings.Contains(err.Error(), "remove the mark here (GUEST") {
			t.Errorf("Sweep by the owner, who has a guest = %d, %v", n, err)
		}
	})
}

func TestDamagedMarkIsNobodys(t *testing.T) {
	o, dir := inDirectory(t)
	k, _ := newKeeper(t, o, time.Now)
	for _, mark := range []string{"", "us", "us\nand more\n", "\n", "u s\n"} {
		if err := os.WriteFile(filepath.Join(dir, "OWNER"), []byte(mark), 0o600); err != nil {
			t.Fatal(err)
		}
		if mine, err := k.Own(t.Context(), "us"); mine || err != nil {
			t.Errorf("mark %q: %v, %v", mark, mine, err)
		}
		if _, err := k.Sweep(t.Context(), -time.Hour, nothing); !errors.Is(err, bonafide.Conflict) {
			t.Errorf("mark %q: %v", mark, err)
		}
	}
	if err := os.Remove(filepath.Join(dir, "OWNER")); err != nil {
		t.Fatal(err)
	}
	if _, err := k.Sweep(t.Context(), -time.Hour, nothing); !errors.Is(err, bonafide.Conflict) {
		t.Errorf("a mark that was taken away: %v", err)
	}
	if mine, err := k.Own(t.Context(), "us"); !mine || err != nil {
		t.Errorf("Own = %v, %v", mine, err)
	}
	if _, err := k.Own(t.Context(), ""); !errors.Is(err, bonafide.Invalid) {
		t.Errorf("nobody owns: %v", err)
	}
}

// What is swept by mistake, by an older state of the same database, lies in the trash and
// comes back: when it is opened, and when the newer state sweeps. After 30 days it is gone.
func TestSweptLiesInTheTrash(t *testing.T) {
	each(t, func(t *testing.T, o Objects) {
		ctx := t.Context()
		now := time.Now().Add(48 * time.Hour)
		k, _ := newKeeper(t, o, func() time.Time { return now })
		if _, err := k.Own(ctx, "us"); err != nil {
			t.Fatal(err)
		}
		all := stocked(t, k, 4)
		if n, err := k.Sweep(ctx, 24*time.Hour, nothing); n != 4 || err != nil {
			t.Fatalf("Sweep = %d, %v", n, err)
		}
		if n, err := k.Check(ctx, func(string, error) {}); n != 0 || err != nil {
			t.Errorf("%d objects stand in their place, %v", n, err)
		}
		if err := opens(t, k, all[0]); err != nil {
			t.Errorf("open what was swept: %v", err)
		}
		if n, err := k.Check(ctx, func(string, error) {}); n != 1 || err != nil {
			t.Errorf("%d objects stand in their place, %v", n, err)
		}
		known := func(address string) (bool, error) { return address == all[0].Address || address == all[1].Address, nil }
		if n, err := k.Sweep(ctx, 24*time.Hour, known); n != 0 || err != nil {
			t.Errorf("Sweep = %d, %v", n, err)
		}
		if n, err := k.Check(ctx, func(string, error) {}); n != 2 || err != nil {
			t.Errorf("what is known did not come back: %d, %v", n, err)
		}
		if err := k.Remove(ctx, all[3].Address); err != nil {
			t.Fatal(err)
		}
		if err := opens(t, k, all[3]); !errors.Is(err, bonafide.NotFound) {
			t.Errorf("open what was removed out of the trash: %v", err)
		}
		now = time.Now().Add(29 * 24 * time.Hour)
		if _, err := k.Sweep(ctx, 24*time.Hour, known); err != nil {
			t.Fatal(err)
		}
		if err := opens(t, k, all[2]); err != nil { // and into the trash again
			t.Errorf("open after 29 days: %v", err)
		}
		for range 2 {
			if _, err := k.Sweep(ctx, 24*time.Hour, known); err != nil {
				t.Fatal(err)
			}
			now = time.Now().Add(31 * 24 * time.Hour)
		}
		if err := opens(t, k, all[2]); !errors.Is(err, bonafide.NotFound) {
			t.Errorf("open after 31 days: %v", err)
		}
		for _, x := range all[:2] {
			if err := opens(t, k, x); err != nil {
				t.Error(err)
			}
		}
	})
}

// A sweep that would take much of everything is of the wrong database.
func TestSweepOfMuchIsRefused(t *testing.T) {
	o, dir := inDirectory(t)
	k, _ := newKeeper(t, o, func() time.Time { return time.Now().Add(48 * time.Hour) })
	all := stocked(t, k, 230)
	unknown := func(n int) func(string) (bool, error) {
		is := map[string]bool{}
		for _, x := range all[:n] {
			is[x.Address] = true
		}
		return func(address string) (bool, error) { return !is[address], nil }
	}
	before := files(t, dir)
	for _, n := range []int{24, 230} {
		if got, err := k.Sweep(t.Context(), 24*time.Hour, unknown(n)); got != 0 || !errors.Is(err, bonafide.Conflict) || !strings.Contains(err.Error(), "s this the right database?") {
			t.Errorf("Sweep of %d of 230 = %d, %v", n, got, err)
		}
	}
	if _, err := os.Stat(filepath.Join(dir, "trash")); err == nil || files(t, dir) != before {
		t.Error("a sweep that was refused took something")
	}
	if got, err := k.Sweep(t.Context(), 24*time.Hour, unknown(23)); got != 23 || err != nil {
		t.Errorf("Sweep of a tenth = %d, %v", got, err)
	}
}

// The child of the crash test takes in files until it is killed. What TakeIn
// returned it registers in a journal.
func TestMain(m *testing.M) {
	if dir := os.Getenv("BONAFIDE_CRASH_CHILD"); dir != "" {
		fmt.Fprintln(os.Stderr, crashChild(dir))
		os.Exit(1)
	}
	os.Exit(m.Run())
}

func crashKeeper(dir string) (*Keeper, error) {
	o, err := OpenObjects(context.Background(), filepath.Join(dir, "objects"), Credentials{})
	if err != nil {
		return nil, err
	}
	return NewKeeper(o, filepath.Join(dir, "spool"), rand.Reader, time.Now)
}

func crashChild(dir string) error {
	k, err := crashKeeper(dir)
	if err != nil {
		return err
	}
	journal, err := os.OpenFile(filepath.Join(dir, "journal"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	block := make([]byte, 1<<20)
	if _, err := rand.Read(block); err != nil {
		return err
	}
	for n := 0; ; n++ {
		size := int64(64<<20) - int64(n%7)*1234567
		if n%3 == 2 {
			size = int64(n) * 54321
		}
		taken, err := k.TakeIn(context.Background(), io.LimitReader(&repeated{block, 0}, size), "x.bin", 1<<30)
		if err != nil {
			return err
		}
		// One write, so that a line is whole or not ended.
		if _, err := fmt.Fprintf(journal, "%s %s %s %d\n", taken.Address, hex.EncodeToString(taken.Key[:]), taken.SHA256, taken.Size); err != nil {
			return err
		}
		if err := journal.Sync(); err != nil {
			return err
		}
	}
}

// A repeated gives the same bytes again and again.
type repeated struct {
	b  []byte
	at int
}

func (r *repeated) Read(p []byte) (int, error) {
	n := copy(p, r.b[r.at:])
	r.at = (r.at + n) % len(r.b)
	return n, nil
}

func TestCrashLosesNothingRegistered(t *testing.T) {
	rounds := 15
	if testing.Short() {
		rounds = 3
	}
	dir := t.TempDir()
	random := mrand.New(mrand.NewPCG(uint64(time.Now().UnixNano()), 1))
	registered, swept, torn := 0, 0, 0
	for round := range rounds {
		cmd := exec.Command(os.Args[0], "-test.run=^$")
		cmd.Env = append(os.Environ(), "BONAFIDE_CRASH_CHILD="+dir)
		var said bytes.Buffer
		cmd.Stderr = &said
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		time.Sleep(50*time.Millisecond + time.Duration(random.Int64N(int64(2*time.Second))))
		if err := cmd.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		if err := cmd.Wait(); err == nil || said.Len() > 0 {
			t.Fatalf("round %d: the child ended by itself: %v, %s", round, err, &said)
		}
		k, err := crashKeeper(dir)
		if err != nil {
			t.Fatal(err)
		}
		torn += files(t, filepath.Join(dir, "spool"))
		known := map[string]bool{}
		body, err := os.ReadFile(filepath.Join(dir, "journal"))
		if err != nil && !errors.Is(err, os.ErrNotExist) {
			t.Fatal(err)
		}
		if i := bytes.LastIndexByte(body, '\n'); i+1 < len(body) { // never acknowledged
			if err := os.Truncate(filepath.Join(dir, "journal"), int64(i+1)); err != nil {
				t.Fatal(err)
			}
			body = body[:i+1]
		}
		for s := bufio.NewScanner(bytes.NewReader(body)); s.Scan(); {
			f := strings.Fields(s.Text())
			known[f[0]] = true
			if err := intact(t.Context(), k, f[0], f[1], f[2], f[3]); err != nil {
				t.Fatalf("round %d: %s is registered: %v", round, f[0], err)
			}
		}
		n, err := k.Sweep(t.Context(), -time.Hour, func(address string) (bool, error) { return known[address], nil })
		if err != nil {
			t.Fatal(err)
		}
		swept += n
		trashed := 0
		if _, err := os.Stat(filepath.Join(dir, "objects", "trash")); err == nil {
			trashed = files(t, filepath.Join(dir, "objects", "trash"))
		}
		if got := files(t, filepath.Join(dir, "objects")) - trashed; got != len(known) {
			t.Fatalf("round %d: Sweep leaves %d objects, %d are registered", round, got, len(known))
		}
		if got := files(t, filepath.Join(dir, "spool")); got != 0 {
			t.Fatalf("round %d: Sweep leaves %d files in the spool", round, got)
		}
		registered += len(known)
		// Begin anew now and then, so that the objects do not become too many.
		if round%3 == 2 {
			if err := os.RemoveAll(dir); err != nil {
				t.Fatal(err)
			}
			if err := os.Mkdir(dir, 0o700); err != nil {
				t.Fatal(err)
			}
		}
	}
	t.Logf("%d kills: %d times a registered object was opened and hashed right; %d spool files were torn, %d files swept", rounds, registered, torn, swept)
	if registered == 0 {
		t.Error("nothing was registered: the machine is too slow for this test to tell anything")
	}
}

func intact(ctx context.Context, k *Keeper, address, key, sum, size string) error {
	var secret Key
	if _, err := hex.Decode(secret[:], []byte(key)); err != nil {
		return err
	}
	c, err := k.Open(ctx, address, secret)
	if err != nil {
		return err
	}
	defer c.Close()
	h := sha256.New()
	n, err := io.Copy(h, c)
	if err != nil {
		return err
	}
	if got := hex.EncodeToString(h.Sum(nil)); got != sum || fmt.Sprint(n) != size {
		return fmt.Errorf("it has %d bytes and hash %s instead of %s and %s", n, got, size, sum)
	}
	return nil
}
