package pipeline

import (
	"encoding/binary"
	"errors"
	"time"
	"unique"

	"bonafide"
	"bonafide/signal/text"
)

// A Reduced complaint is what comparisons keep of it: the shingles of its letter
// and keyed hashes. It is made once, kept sealed beside the complaint, and read again
// whenever a process starts.
type Reduced struct {
	sub *subject
}

// ID returns the complaint's id.
func (r Reduced) ID() string { return r.sub.ID }

// Self returns the key of the customer, 0 where nothing tells who it is.
func (r Reduced) Self() bonafide.Key {
	if len(r.sub.facts.Self) == 0 {
		return 0
	}
	return r.sub.facts.Self[0]
}

// traceVersion is the first byte of a marshalled trace. A change of the shingles,
// the hashes or the layout MUST raise it: old traces are then made anew from the
// complaints.
const traceVersion = 1

// errTrace is what a trace that was cut off or altered gives.
var errTrace = errors.New("the trace is damaged: it does not have the form that this program writes")

// Marshal returns r in bytes.
func (r Reduced) Marshal() []byte {
	s := r.sub
	w := traceWriter{b: make([]byte, 0, 512+4*(len(s.letter)+len(s.pairs)))}
	w.b = append(w.b, traceVersion)
	w.text(s.ID)
	w.int(micros(s.Received))
	w.text(string(s.Channel))
	w.text(s.Lang)
	w.text(s.Product)
	w.text(s.Region)
	if rep := s.Representative; rep == nil {
		w.flags(false)
	} else {
		w.flags(true, rep.Confirmed)
		w.text(string(rep.Type))
	}
	w.letter(s.letter)
	w.letter(s.pairs)
	f := s.facts
	w.text(f.Region)
	w.text(f.Product)
	w.keys(f.Self)
	w.keys([]bonafide.Key{f.Surname, f.Home, f.Building})
	w.keys(f.Numbers)
	w.keys(f.Pieces)
	for _, facts := range [][]bonafide.Fact{f.Filed, f.Known} {
		w.count(len(facts))
		for _, x := range facts {
			w.text(string(x.Kind))
			w.key(x.Key)
			w.key(x.Visible)
		}
	}
	w.count(len(f.Papers))
	for _, p := range f.Papers {
		w.key(p.Key)
		w.text(p.Kind)
		w.text(string(p.Verified))
	}
	w.flags(f.WhitePath, f.Vulnerable)
	return w.b
}

// ParseReduced reads what Marshal wrote.
func ParseReduced(b []byte) (Reduced, error) {
	r := traceReader{b: b}
	if len(b) == 0 || b[0] != traceVersion {
		return Reduced{}, errors.New("the trace was written by another version of the program: it has to be made anew")
	}
	r.b = b[1:]
	s := &subject{}
	s.ID = r.text()
	s.Received = instant(r.int())
	s.Channel, s.Lang, s.Product = bonafide.Channel(r.word()), r.word(), r.word()
	s.Region = r.word()
	if has, confirmed := r.flags(); has {
		s.Representative = &bonafide.Representative{Confirmed: confirmed}
		s.Representative.Type = bonafide.RepresentativeType(r.word())
	}
	s.letter, s.pairs = r.letter(), r.letter()
	f := &bonafide.Facts{Complaint: s.ID, Received: s.Received, Channel: s.Channel, Region: r.word(), Product: r.word()}
	f.Self = r.keys()
	if home := r.keys(); len(home) == 3 {
		f.Surname, f.Home, f.Building = home[0], home[1], home[2]
	} else {
		r.bad = true
	}
	f.Numbers, f.Pieces = r.keys(), r.keys()
	for _, facts := range []*[]bonafide.Fact{&f.Filed, &f.Known} {
		for range r.count(17) {
			*facts = append(*facts, bonafide.Fact{Kind: bonafide.IdentifierKind(r.word()), Key: r.key(), Visible: r.key()})
		}
	}
	for range r.count(10) {
		f.Papers = append(f.Papers, bonafide.Paper{Key: r.key(), Kind: r.word(), Verified: bonafide.Authenticity(r.word())})
	}
	f.WhitePath, f.Vulnerable = r.flags()
	if r.bad || len(r.b) > 0 {
		return Reduced{}, errTrace
	}
	s.facts, s.papers = f, f.Papers
	return Reduced{s}, nil
}

func micros(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMicro()
}

func instant(us int64) time.Time {
	if us == 0 {
		return time.Time{}
	}
	return time.UnixMicro(us).UTC()
}

// traceWriter appends values to b.
type traceWriter struct{ b []byte }

func (w *traceWriter) count(n int)          { w.b = binary.AppendUvarint(w.b, uint64(n)) }
func (w *traceWriter) int(n int64)          { w.b = binary.AppendVarint(w.b, n) }
func (w *traceWriter) key(k bonafide.Key)   { w.b = binary.LittleEndian.AppendUint64(w.b, uint64(k)) }
func (w *traceWriter) text(s string)        { w.count(len(s)); w.b = append(w.b, s...) }
func (w *traceWriter) letter(l text.Letter) { w.count(len(l)); w.b = appendShingles(w.b, l) }

func (w *traceWriter) keys(ks []bonafide.Key) {
	w.count(len(ks))
	for _, k := range ks {
		w.key(k)
	}
}

// flags writes up to two truth values.
func (w *traceWriter) flags(f ...bool) {
	var b byte
	for i, x := range f {
		if x {
			b |= 1 << i
		}
	}
	w.b = append(w.b, b)
}

func appendShingles(b []byte, l text.Letter) []byte {
	for _, s := range l {
		b = binary.LittleEndian.AppendUint32(b, s)
	}
	return b
}

// traceReader takes values off b; bad is set once something does not fit.
type traceReader struct {
	b   []byte
	bad bool
}

func (r *traceReader) take(n int) []byte {
	if r.bad || n < 0 || n > len(r.b) {
		r.bad = true
		return nil
	}
	out := r.b[:n]
	r.b = r.b[n:]
	return out
}

// count reads how many values of at least size bytes follow.
func (r *traceReader) count(size int) int {
	n, used := binary.Uvarint(r.b)
	if r.bad || used <= 0 || n > uint64(len(r.b)/size) {
		r.bad = true
		return 0
	}
	r.b = r.b[used:]
	return int(n)
}

func (r *traceReader) int() int64 {
	n, used := binary.Varint(r.b)
	if r.bad || used <= 0 {
		r.bad = true
		return 0
	}
	r.b = r.b[used:]
	return n
}

func (r *traceReader) text() string { return string(r.take(r.count(1))) }

// word reads a text that many complaints have: each is kept once.
func (r *traceReader) word() string { return unique.Make(r.text()).Value() }

func (r *traceReader) key() bonafide.Key {
	if b := r.take(8); b != nil {
		return bonafide.Key(binary.LittleEndian.Uint64(b))
	}
	return 0
}

func (r *traceReader) keys() []bonafide.Key {
	n := r.count(8)
	if n == 0 {
		return nil
	}
	out := make([]bonafide.Key, n)
	for i := range out {
		out[i] = r.key()
	}
	return out
}

func (r *traceReader) flags() (a, b bool) {
	if x := r.take(1); x != nil {
		return x[0]&1 != 0, x[0]&2 != 0
	}
	return false, false
}

func (r *traceReader) letter() text.Letter {
	b := r.take(4 * r.count(4))
	if len(b) == 0 {
		return nil
	}
	l := make(text.Letter, len(b)/4)
	for i := range l {
		l[i] = binary.LittleEndian.Uint32(b[4*i:])
	}
	return l
}
