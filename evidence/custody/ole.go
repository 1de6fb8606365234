package custody

import (
	"encoding/binary"
	"errors"
	"strings"
	"unicode/utf16"
)

// oleMagic is how a compound file begins.
const oleMagic = "\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"

// An ole is a Microsoft compound file, [MS-CFB]: a file system of sectors.
type ole struct {
	in     *inspection
	sector int64
}

var errOLE = errors.New("inspect: a compound file with a chain that leads nowhere")

// noSector and above end a chain.
const noSector = 0xfffffffa

// next returns the sector that follows n in its chain.
func (o ole) next(n uint32) (uint32, error) {
	per := uint32(o.sector / 4)
	i := n / per
	var fat uint32
	if i < 109 {
		fat = binary.LittleEndian.Uint32(o.in.head[76+4*i:])
	} else {
		i -= 109
		at := binary.LittleEndian.Uint32(o.in.head[68:])
		for hops := 0; i >= per-1; i -= per - 1 {
			if hops++; hops > 256 {
				return 0, errOLE
			}
			var err error
			if at, err = o.word(at, int64(per-1)); err != nil {
				return 0, err
			}
		}
		var err error
		if fat, err = o.word(at, int64(i)); err != nil {
			return 0, err
		}
	}
	return o.word(fat, int64(n%per))
}

// word reads the 32-bit word i of sector n.
func (o ole) word(n uint32, i int64) (uint32, error) {
	if n >= noSector {
		return 0, errOLE
	}
	var b [4]byte
	_, err := readFull(o.in, b[:], (int64(n)+1)*o.sector+4*i)
	return binary.LittleEndian.Uint32(b[:]), err
}

// ole tells what a compound file is by the names in its directory.
func (in *inspection) ole() error {
	if len(in.head) < 512 {
		in.note(NoteTruncated, "")
		return nil
	}
	o := ole{in, 512}
	if binary.LittleEndian.Uint16(in.head[30:]) == 12 {
		o.sector = 4096
	}
	streams := map[string]uint32{} // the first sector of each that is not in the small ones' stream
	names := map[string]bool{}
	at := binary.LittleEndian.Uint32(in.head[48:])
	b := make([]byte, o.sector)
	var err error
	for range 512 {
		if at >= noSector {
			break
		}
		if _, err = readFull(in, b, (int64(at)+1)*o.sector); err != nil {
			break
		}
		for e := b; len(e) >= 128; e = e[128:] {
			name := strings.ToLower(utf16Name(e))
			names[name] = true
			if e[66] == 2 && binary.LittleEndian.Uint64(e[120:]) >= 4096 {
				streams[name] = binary.LittleEndian.Uint32(e[116:])
			}
		}
		if at, err = o.next(at); err != nil {
			break
		}
	}
	if err != nil && !errors.Is(err, errLimit) {
		in.note(NoteTruncated, "")
		err = nil
	}
	in.nameOLE(o, names, streams)
	return err
}

func utf16Name(entry []byte) string {
	n := min(int(binary.LittleEndian.Uint16(entry[64:])), 64)
	var u []uint16
	for i := 0; i+2 < n; i += 2 { // the last is zero
		u = append(u, binary.LittleEndian.Uint16(entry[i:]))
	}
	return string(utf16.Decode(u))
}

func (in *inspection) nameOLE(o ole, names map[string]bool, streams map[string]uint32) {
	begins := func(name string) []byte {
		b := make([]byte, 512)
		if n, ok := streams[name]; !ok || n >= noSector {
			return nil
		} else if _, err := readFull(in, b, (int64(n)+1)*o.sector); err != nil {
			return nil
		}
		return b
	}
	switch {
	case names["encryptedpackage"]:
		in.is("application/x-ole-storage", "")
		in.locked = true // a .docx, .xlsx or .pptx looks like this
		in.note(NoteEncrypted, "")
	case names["worddocument"]:
		in.is("application/msword", ".doc")
		if b := begins("worddocument"); len(b) > 11 && b[11]&1 != 0 { // fEncrypted of the FIB, [MS-DOC] 2.5.2
			in.note(NoteEncrypted, "")
		}
	case names["workbook"], names["book"]:
		in.is("application/vnd.ms-excel", ".xls")
		for _, s := range []string{"workbook", "book"} {
			if filePass(begins(s)) {
				in.note(NoteEncrypted, "")
			}
		}
	case names["powerpoint document"]:
		in.is("application/vnd.ms-powerpoint", ".ppt")
		if names["encryptedsummary"] {
			in.note(NoteEncrypted, "")
		}
	case names["__properties_version1.0"]:
		in.is("application/vnd.ms-outlook", ".msg")
	}
	if names["vba"] || names["_vba_project"] || names["_vba_project_cur"] || names["macros"] {
		in.note(NoteMacros, "")
	}
}

// filePass looks for the record FILEPASS at the beginning of a workbook, [MS-XLS]
// 2.4.117.
func filePass(b []byte) bool {
	for len(b) >= 4 {
		if binary.LittleEndian.Uint16(b) == 0x2f {
			return true
		}
		n := 4 + int(binary.LittleEndian.Uint16(b[2:]))
		if n > len(b) {
			return false
		}
		b = b[n:]
	}
	return false
}
