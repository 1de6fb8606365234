package custody

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"strings"
)

// image reads the size that an image declares, and looks whether its end is there.
// Nothing is decoded.
func (in *inspection) image() error {
	h := in.head
	var w, ht uint64
	var err error
	end := true
	switch {
	case strings.HasPrefix(in.MIME, "image/png"), strings.HasPrefix(in.MIME, "image/apng"), strings.HasPrefix(in.MIME, "image/vnd.mozilla.apng"):
		if len(h) >= 24 {
			w, ht = uint64(binary.BigEndian.Uint32(h[16:])), uint64(binary.BigEndian.Uint32(h[20:]))
		}
		end, err = in.pngEnds()
	case strings.HasPrefix(in.MIME, "image/gif"):
		if len(h) >= 10 {
			w, ht = uint64(binary.LittleEndian.Uint16(h[6:])), uint64(binary.LittleEndian.Uint16(h[8:]))
		}
		end, err = in.gifEnds()
	case strings.HasPrefix(in.MIME, "image/jpeg"):
		w, ht, err = in.jpeg()
		end = bytes.Contains(in.tail, []byte{0xff, 0xd9})
	case strings.HasPrefix(in.MIME, "image/bmp"):
		if len(h) >= 26 {
			w, ht = uint64(binary.LittleEndian.Uint32(h[18:])), magnitude(binary.LittleEndian.Uint32(h[22:]))
		}
	case strings.HasPrefix(in.MIME, "image/webp"):
		w, ht = webp(h)
		in.riff()
	case strings.HasPrefix(in.MIME, "image/tiff"):
		w, ht, err = in.tiff()
	}
	if !end {
		in.note(NoteTruncated, "")
	}
	if w > 0 && ht > maxPixels/w {
		in.note(NoteBomb, fmt.Sprintf("%dx%d", w, ht))
	}
	return err
}

// pngEnds goes from chunk to chunk up to the last.
func (in *inspection) pngEnds() (bool, error) {
	var b [8]byte
	at := int64(8)
	for range maxMembers {
		if at+12 > in.size {
			return false, nil
		}
		if _, err := readFull(in, b[:], at); err != nil {
			return true, err
		}
		if at += 12 + int64(binary.BigEndian.Uint32(b[:])); string(b[4:]) == "IEND" {
			return at <= in.size, nil
		}
	}
	return true, errLimit
}

// gifEnds goes from block to block up to the trailer.
func (in *inspection) gifEnds() (bool, error) {
	if len(in.head) < 13 {
		return false, nil
	}
	r := bufio.NewReaderSize(io.NewSectionReader(in, 0, min(in.size, 32<<20)), window)
	colours := func(flags byte) int { // the size of a colour table
		if flags&0x80 == 0 {
			return 0
		}
		return 3 << (flags&7 + 1)
	}
	skip := 13 + colours(in.head[10])
	for {
		if _, err := r.Discard(skip); err != nil {
			return in.size > 32<<20, ignoreEOF(err)
		}
		b, err := r.Peek(1)
		if err != nil {
			return in.size > 32<<20, ignoreEOF(err)
		}
		switch b[0] {
		case 0x3b:
			return true, nil
		case 0x21:
			skip = 2
		case 0x2c:
			if b, err = r.Peek(10); err != nil {
				return in.size > 32<<20, ignoreEOF(err)
			}
			skip = 11 + colours(b[9])
		default:
			return false, nil
		}
		if _, err := r.Discard(skip); err != nil {
			return in.size > 32<<20, ignoreEOF(err)
		}
		skip = 0
		for { // the sub-blocks, up to an empty one
			n, err := r.ReadByte()
			if err == nil {
				_, err = r.Discard(int(n))
			}
			if err != nil {
				return in.size > 32<<20, ignoreEOF(err)
			}
			if n == 0 {
				break
			}
		}
	}
}

// magnitude is the height of a BMP, which is negative where its rows go downwards.
func magnitude(n uint32) uint64 {
	if h := int64(int32(n)); h < 0 {
		return uint64(-h)
	}
	return uint64(n)
}

// jpeg goes from segment to segment up to the frame header.
func (in *inspection) jpeg() (w, h uint64, err error) {
	var b [9]byte
	at := int64(2)
	for range 2000 {
		if at+9 > in.size {
			return 0, 0, nil
		}
		p := b[:]
		if at+9 <= int64(len(in.head)) {
			p = in.head[at : at+9]
		} else if _, err := readFull(in, p, at); err != nil {
			return 0, 0, err
		}
		switch m := p[1]; {
		case p[0] != 0xff:
			return 0, 0, nil
		case m == 0xff: // padding
			at++
			continue
		case m == 0xda || m == 0xd9: // the image itself, or its end
			return 0, 0, nil
		case m >= 0xc0 && m <= 0xcf && m != 0xc4 && m != 0xc8 && m != 0xcc:
			return uint64(binary.BigEndian.Uint16(p[7:])), uint64(binary.BigEndian.Uint16(p[5:])), nil
		case m == 0x01 || m >= 0xd0 && m <= 0xd8: // they have no length
			at += 2
			continue
		}
		at += 2 + int64(binary.BigEndian.Uint16(p[2:]))
	}
	return 0, 0, nil
}

func webp(h []byte) (uint64, uint64) {
	if len(h) < 30 {
		return 0, 0
	}
	switch string(h[12:16]) {
	case "VP8X":
		u24 := func(b []byte) uint64 { return uint64(b[0]) | uint64(b[1])<<8 | uint64(b[2])<<16 }
		return u24(h[24:]) + 1, u24(h[27:]) + 1
	case "VP8 ":
		return uint64(binary.LittleEndian.Uint16(h[26:]) & 0x3fff), uint64(binary.LittleEndian.Uint16(h[28:]) & 0x3fff)
	case "VP8L":
		b := binary.LittleEndian.Uint32(h[21:])
		return uint64(b&0x3fff) + 1, uint64(b>>14&0x3fff) + 1
	}
	return 0, 0
}

// tiff reads width and height out of the first directory.
func (in *inspection) tiff() (w, h uint64, err error) {
	if len(in.head) < 8 {
		return 0, 0, nil
	}
	var o binary.ByteOrder = binary.LittleEndian
	if in.head[0] == 'M' {
		o = binary.BigEndian
	}
	if o.Uint16(in.head[2:]) != 42 {
		return 0, 0, nil
	}
	at := int64(o.Uint32(in.head[4:]))
	if at+2 > in.size {
		in.note(NoteTruncated, "")
		return 0, 0, nil
	}
	var n [2]byte
	if _, err := readFull(in, n[:], at); err != nil {
		return 0, 0, err
	}
	b := make([]byte, min(12*int64(o.Uint16(n[:])), in.size-at-2))
	if _, err := readFull(in, b, at+2); err != nil {
		return 0, 0, err
	}
	for ; len(b) >= 12; b = b[12:] {
		v := uint64(o.Uint32(b[8:]))
		if o.Uint16(b[2:]) == 3 { // SHORT
			v = uint64(o.Uint16(b[8:]))
		}
		switch o.Uint16(b) {
		case 256:
			w = v
		case 257:
			h = v
		}
	}
	return w, h, nil
}

// riff compares the length that a RIFF file declares with what is there.
func (in *inspection) riff() {
	if len(in.head) >= 8 {
		if n := binary.LittleEndian.Uint32(in.head[4:]); n != 0xffffffff && int64(n)+8 > in.size {
			in.note(NoteTruncated, "")
		}
	}
}
