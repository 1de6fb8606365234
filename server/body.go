package server

import (
	"bytes"
	"compress/flate"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"slices"
	"strconv"
	"strings"
)

// expansion bounds how many bytes may come out of one byte of gzip, beyond the
// first slack bytes. Letters compress to a tenth, the same letter again and again to
// a hundredth; a bomb reaches a thousandth.
const (
	expansion = 250
	slack     = 1 << 20
)

// A Media is a type of content that a route accepts: "application/json".
type Media string

// The types of content.
const (
	JSON   Media = "application/json"
	NDJSON Media = "application/x-ndjson"
)

// also are other names that the types go by.
var also = map[Media][]string{JSON: nil, NDJSON: {"application/ndjson", "application/jsonl"}}

// Body returns the content of a request, unpacked, where its type is want. Reading
// more than limit bytes fails with 413, packed or unpacked; 0 is no limit. What
// unpacks to out of all proportion is refused while it is read.
func Body(w http.ResponseWriter, r *http.Request, want Media, limit int64) (io.Reader, error) {
	name, params, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil || name != string(want) && !slices.Contains(also[want], name) {
		return nil, &Refusal{Status: http.StatusUnsupportedMediaType, Detail: "send Content-Type: " + string(want)}
	}
	if c, ok := params["charset"]; ok && !strings.EqualFold(c, "utf-8") {
		return nil, &Refusal{Status: http.StatusUnsupportedMediaType, Detail: "send UTF-8"}
	}
	var in io.Reader = r.Body
	if limit > 0 {
		if r.ContentLength > limit {
			return nil, &http.MaxBytesError{Limit: limit}
		}
		in = http.MaxBytesReader(w, r.Body, limit)
	}
	switch e := r.Header.Values("Content-Encoding"); {
	case len(e) == 0 || len(e) == 1 && strings.EqualFold(e[0], "identity"):
		return in, nil
	case len(e) == 1 && strings.EqualFold(e[0], "gzip"):
		return &unpacker{packed: &counter{r: in}, limit: limit}, nil
	}
	return nil, &Refusal{Status: http.StatusUnsupportedMediaType, Detail: "send Content-Encoding: gzip or none", Header: http.Header{"Accept-Encoding": {"gzip"}}}
}

// ReadBody reads all of a request's content.
func ReadBody(w http.ResponseWriter, r *http.Request, want Media, limit int64) ([]byte, error) {
	in, err := Body(w, r, want, limit)
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	if n := r.ContentLength; n > 0 && n <= limit {
		b.Grow(int(min(n, 64<<10)) + bytes.MinRead)
	}
	if _, err := b.ReadFrom(in); err != nil {
		return nil, unread(err)
	}
	return b.Bytes(), nil
}

// unread gives an error of reading content the words of the client.
func unread(err error) error {
	var tooLarge *http.MaxBytesError
	var refusal *Refusal
	if errors.As(err, &tooLarge) || errors.As(err, &refusal) {
		return err
	}
	return fmt.Errorf("read the request: %w", err)
}

// A counter counts what is read.
type counter struct {
	r io.Reader
	n int64
}

// Read reads and counts.
func (c *counter) Read(b []byte) (int, error) {
	n, err := c.r.Read(b)
	c.n += int64(n)
	return n, err
}

// An unpacker reads gzip within limits.
type unpacker struct {
	packed *counter
	zip    *gzip.Reader // opened by the first Read, so that reading is where errors come from
	limit  int64        // of what comes out; 0 = by proportion alone
	out    int64
}

// Read reads unpacked bytes.
func (u *unpacker) Read(b []byte) (int, error) {
	if u.zip == nil {
		z, err := gzip.NewReader(u.packed)
		if err != nil {
			return 0, notGzip(err)
		}
		u.zip = z
	}
	n, err := u.zip.Read(b)
	u.out += int64(n)
	switch {
	case u.limit > 0 && u.out > u.limit:
		return 0, &http.MaxBytesError{Limit: u.limit}
	case u.out > slack+expansion*u.packed.n:
		return 0, &Refusal{Status: http.StatusRequestEntityTooLarge, Detail: "the content unpacks to more than " + strconv.Itoa(expansion) + " times its size: send it unpacked"}
	case err != nil && !errors.Is(err, io.EOF):
		return n, notGzip(err)
	}
	return n, err
}

func notGzip(err error) error {
	if errors.Is(err, gzip.ErrHeader) || errors.Is(err, gzip.ErrChecksum) || errors.Is(err, io.EOF) || errors.As(err, new(flate.CorruptInputError)) {
		return &Refusal{Status: http.StatusBadRequest, Detail: "the content is not gzip, though Content-Encoding says so", Err: err}
	}
	return err
}
