package pack

import (
	"encoding/binary"
	"io"
	"time"
)

// A header is what a zip says of one entry. Of all the ways to write it a pack knows
// one, so that every byte of a zip has one right value.
type header struct {
	name   string
	size   int64
	crc    uint32
	offset int64 // of the local header
}

const (
	big32 = 1<<32 - 1
	big16 = 1<<16 - 1

	localLen, centralLen, endLen, end64Len, locatorLen = 30, 46, 22, 56, 20
)

// dosTime is a time as a zip keeps it: UTC, in steps of two seconds, 1980 to 2107.
type dosTime struct{ time, date uint16 }

func toDOS(t time.Time) dosTime {
	t = t.UTC()
	return dosTime{
		time: uint16(t.Hour()<<11 | t.Minute()<<5 | t.Second()/2),
		date: uint16((t.Year()-1980)<<9 | int(t.Month())<<5 | t.Day()),
	}
}

// within reports whether a zip can keep t.
func within(t time.Time) bool { return t.UTC().Year() >= 1980 && t.UTC().Year() <= 2107 }

func version(zip64 bool) uint16 {
	if zip64 {
		return 45
	}
	return 20
}

// common are the fields that the local and the central header share.
func (h header) common(b []byte, zip64 bool, at dosTime, extra int) []byte {
	le := binary.LittleEndian
	size := uint32(min(h.size, big32))
	b = le.AppendUint16(b, version(zip64))
	b = le.AppendUint16(b, 0x0800) // names are UTF-8
	b = le.AppendUint16(b, 0)      // stored
	b = le.AppendUint16(b, at.time)
	b = le.AppendUint16(b, at.date)
	b = le.AppendUint32(b, h.crc)
	b = le.AppendUint32(b, size)
	b = le.AppendUint32(b, size)
	b = le.AppendUint16(b, uint16(len(h.name)))
	return le.AppendUint16(b, uint16(extra))
}

func (h header) local(at dosTime) []byte {
	le := binary.LittleEndian
	big := h.size >= big32
	extra := 0
	if big {
		extra = 20
	}
	b := le.AppendUint32(nil, 0x04034b50)
	b = h.common(b, big, at, extra)
	b = append(b, h.name...)
	if big {
		b = le.AppendUint16(b, 1)
		b = le.AppendUint16(b, 16)
		b = le.AppendUint64(b, uint64(h.size))
		b = le.AppendUint64(b, uint64(h.size))
	}
	return b
}

func (h header) central(at dosTime) []byte {
	le := binary.LittleEndian
	var extra []byte
	if h.size >= big32 {
		extra = le.AppendUint64(extra, uint64(h.size))
		extra = le.AppendUint64(extra, uint64(h.size))
	}
	if h.offset >= big32 {
		extra = le.AppendUint64(extra, uint64(h.offset))
	}
	big := len(extra) > 0
	if big {
		extra = append(le.AppendUint16([]byte{1, 0}, uint16(len(extra))), extra...)
	}
	b := le.AppendUint32(nil, 0x02014b50)
	b = le.AppendUint16(b, 3<<8|version(big)) // made on Unix
	b = h.common(b, big, at, len(extra))
	b = append(b, 0, 0, 0, 0, 0, 0) // no comment, first disk, no attributes of DOS
	b = le.AppendUint32(b, 0o100644<<16)
	b = le.AppendUint32(b, uint32(min(h.offset, big32)))
	b = append(b, h.name...)
	return append(b, extra...)
}

// ending is what follows the central directory.
func ending(entries, size, offset int64) []byte {
	le := binary.LittleEndian
	var b []byte
	if entries >= big16 || size >= big32 || offset >= big32 {
		b = le.AppendUint32(b, 0x06064b50)
		b = le.AppendUint64(b, end64Len-12)
		b = le.AppendUint16(b, 3<<8|45)
		b = le.AppendUint16(b, 45)
		b = append(b, 0, 0, 0, 0, 0, 0, 0, 0)
		b = le.AppendUint64(b, uint64(entries))
		b = le.AppendUint64(b, uint64(entries))
		b = le.AppendUint64(b, uint64(size))
		b = le.AppendUint64(b, uint64(offset))
		b = le.AppendUint32(b, 0x07064b50)
		b = le.AppendUint32(b, 0)
		b = le.AppendUint64(b, uint64(offset+size))
		b = le.AppendUint32(b, 1)
	}
	b = le.AppendUint32(b, 0x06054b50)
	b = append(b, 0, 0, 0, 0)
	b = le.AppendUint16(b, uint16(min(entries, big16)))
	b = le.AppendUint16(b, uint16(min(entries, big16)))
	b = le.AppendUint32(b, uint32(min(size, big32)))
	b = le.AppendUint32(b, uint32(min(offset, big32)))
	return append(b, 0, 0) // no comment
}

// An archive writes a zip of stored entries.
type archive struct {
	w       io.Writer
	at      dosTime
	offset  int64
	entries []header
}

func (a *archive) Write(b []byte) (int, error) {
	n, err := a.w.Write(b)
	a.offset += int64(n)
	return n, err
}

// begin writes the header of an entry; its bytes follow.
func (a *archive) begin(name string, size int64, crc uint32) error {
	h := header{name: name, size: size, crc: crc, offset: a.offset}
	a.entries = append(a.entries, h)
	_, err := a.Write(h.local(a.at))
	return err
}

func (a *archive) close() error {
	start := a.offset
	for _, h := range a.entries {
		if _, err := a.Write(h.central(a.at)); err != nil {
			return err
		}
	}
	_, err := a.Write(ending(int64(len(a.entries)), a.offset-start, start))
	return err
}
