package custody

import (
	"fmt"
	"path"
	"slices"
	"strings"
)

// A Format is what content was found to be. It is told from the content, never from
// a name.
type Format struct {
	MIME  string `json:"mime"`            // "application/octet-stream" where it is not known
	Name  string `json:"name"`            // in English: "PDF document"
	Ext   string `json:"ext"`             // with its dot; "" where there is none
	Notes []Note `json:"notes,omitempty"` // what to be wary of
}

// A Note warns of something about content. Code is one of the constants below, so
// that it can be translated; what Value is depends on it. No note holds a name or a
// piece of the content.
type Note struct {
	Code  string `json:"code"`
	Value string `json:"value,omitempty"`
}

// The codes of notes.
const (
	NoteNameDiffers = "name-differs"        // the name's extension says another format; Value is the MIME type found
	NotePolyglot    = "polyglot"            // it is something else as well; Value is the other MIME type
	NoteBomb        = "bomb"                // it expands a hundredfold, or beyond 100 megapixels; Value is the size in bytes, or "WxH"
	NoteOverlap     = "overlapping-members" // members of an archive share bytes
	NotePathEscape  = "path-escape"         // members of an archive would be written elsewhere; Value is how many were seen
	NoteManyMembers = "many-members"        // an archive of more than 10,000 members; Value is how many it says or has
	NoteEncrypted   = "encrypted"           // some of it cannot be read without a password
	NoteMacros      = "macros"              // it holds programs for an office suite
	NoteTruncated   = "truncated"           // its end is missing
	NoteExecutable  = "embedded-executable" // it is or holds a program; Value is how many members of an archive are, where it is one
	NoteEmpty       = "empty"               // there is no content
	NotePartly      = "partly-inspected"    // a limit was reached: there may be more to be wary of
)

// Codes lists the codes of notes.
func Codes() []string {
	return []string{
		NoteNameDiffers, NotePolyglot, NoteBomb, NoteOverlap, NotePathEscape, NoteManyMembers,
		NoteEncrypted, NoteMacros, NoteTruncated, NoteExecutable, NoteEmpty, NotePartly,
	}
}

// String returns the note as an English sentence.
func (n Note) String() string {
	switch n.Code {
	case NoteNameDiffers:
		return fmt.Sprintf("The name says another format than the content, which is %s.", n.Value)
	case NotePolyglot:
		return fmt.Sprintf("The file can be read as %s too.", n.Value)
	case NoteBomb:
		return fmt.Sprintf("The file expands to far more than its size: %s.", n.Value)
	case NoteOverlap:
		return "Members of the archive share bytes."
	case NotePathEscape:
		return fmt.Sprintf("Members of the archive would be written outside its folder: %s.", n.Value)
	case NoteManyMembers:
		return fmt.Sprintf("The archive has very many members: %s.", n.Value)
	case NoteEncrypted:
		return "Some of the file cannot be read without a password."
	case NoteMacros:
		return "The file holds macros."
	case NoteTruncated:
		return "The end of the file is missing."
	case NoteExecutable:
		return "The file is or holds a program."
	case NoteEmpty:
		return "The file is empty."
	case NotePartly:
		return "Not all of the file was inspected."
	}
	return n.Code
}

// The families of document formats, up to their last dot.
const (
	officeMIME = "application/vnd.openxmlformats-officedocument."
	odfMIME    = "application/vnd.oasis.opendocument."
)

// names are what people call formats, by their MIME type in lower case.
var names = map[string]string{
	"application/pdf":                               "PDF document",
	"application/msword":                            "Word document (97-2003)",
	"application/vnd.ms-excel":                      "Excel workbook (97-2003)",
	"application/vnd.ms-powerpoint":                 "PowerPoint presentation (97-2003)",
	"application/vnd.ms-outlook":                    "Outlook message",
	"application/x-ole-storage":                     "Microsoft compound file",
	"application/epub+zip":                          "EPUB book",
	"application/java-archive":                      "Java archive",
	"application/vnd.android.package-archive":       "Android app",
	"application/zip":                               "ZIP archive",
	"application/gzip":                              "gzip file",
	"application/x-bzip2":                           "bzip2 file",
	"application/x-xz":                              "xz file",
	"application/zstd":                              "Zstandard file",
	"application/x-tar":                             "tar archive",
	"application/vnd.rar":                           "RAR archive",
	"application/x-7z-compressed":                   "7-Zip archive",
	"application/octet-stream":                      "unknown",
	"application/x-empty":                           "empty file",
	"application/json":                              "JSON",
	"application/vnd.microsoft.portable-executable": "Windows program",
	"application/x-elf":                             "Linux program",
	"application/x-executable":                      "Linux program",
	"application/x-sharedlib":                       "Linux program",
	"application/x-mach-binary":                     "macOS program",
	"application/ogg":                               "Ogg file",

	officeMIME + "wordprocessingml.document":   "Word document",
	officeMIME + "spreadsheetml.sheet":         "Excel workbook",
	officeMIME + "presentationml.presentation": "PowerPoint presentation",

	"application/vnd.ms-word.document.macroenabled.12":           "Word document with macros",
	"application/vnd.ms-excel.sheet.macroenabled.12":             "Excel workbook with macros",
	"application/vnd.ms-excel.sheet.binary.macroenabled.12":      "Excel workbook (binary)",
	"application/vnd.ms-powerpoint.presentation.macroenabled.12": "PowerPoint presentation with macros",

	odfMIME + "text":         "OpenDocument text",
	odfMIME + "spreadsheet":  "OpenDocument spreadsheet",
	odfMIME + "presentation": "OpenDocument presentation",

	"image/png":     "PNG image",
	"image/apng":    "PNG animation",
	"image/jpeg":    "JPEG image",
	"image/gif":     "GIF image",
	"image/webp":    "WebP image",
	"image/tiff":    "TIFF image",
	"image/bmp":     "BMP image",
	"image/heic":    "HEIC image",
	"image/heif":    "HEIF image",
	"image/avif":    "AVIF image",
	"image/svg+xml": "SVG image",
	"image/x-icon":  "icon",

	"audio/mpeg":  "MP3 audio",
	"audio/wav":   "WAV audio",
	"audio/ogg":   "Ogg audio",
	"audio/flac":  "FLAC audio",
	"audio/amr":   "AMR audio",
	"audio/aac":   "AAC audio",
	"audio/x-m4a": "MPEG-4 audio",
	"audio/mp4":   "MPEG-4 audio",

	"video/ogg":        "Ogg video",
	"video/mp4":        "MPEG-4 video",
	"video/quicktime":  "QuickTime video",
	"video/webm":       "WebM video",
	"video/x-matroska": "Matroska video",
	"video/x-msvideo":  "AVI video",
	"video/3gpp":       "3GPP video",

	"text/plain": "text",
	"text/html":  "HTML page",
	"text/csv":   "CSV table",
	"text/xml":   "XML",
	"text/rtf":   "RTF document",

	"message/rfc822": "e-mail",
}

// nameOf returns what people call a format.
func nameOf(mime, ext string) string {
	mime, _, _ = strings.Cut(mime, ";")
	if s, ok := names[strings.ToLower(mime)]; ok {
		return s
	}
	if ext != "" {
		return strings.ToUpper(ext[1:]) + " file"
	}
	return mime
}

// kinds are the extensions that go with each other; a name with one of them tells
// that the content is of that kind. Other extensions tell nothing.
var kinds = [][]string{
	{"pdf"},
	{"doc", "dot"},
	{"xls", "xlt"},
	{"ppt", "pps", "pot"},
	{"docx", "dotx"},
	{"docm", "dotm"},
	{"xlsx", "xltx"},
	{"xlsm", "xltm"},
	{"xlsb"},
	{"pptx", "ppsx", "potx"},
	{"pptm", "ppsm", "potm"},
	{"odt", "ott"},
	{"ods", "ots"},
	{"odp", "otp"},
	{"msg"},
	{"epub"},
	{"jar", "war", "ear"},
	{"apk"},
	{"zip"},
	{"gz", "tgz"},
	{"bz2", "tbz2"},
	{"xz", "txz"},
	{"zst"},
	{"tar"},
	{"rar"},
	{"7z"},
	{"exe", "dll", "scr", "sys"},
	{"png", "apng"},
	{"jpg", "jpeg", "jpe", "jfif"},
	{"gif"},
	{"webp"},
	{"tif", "tiff"},
	{"bmp", "dib"},
	{"heic", "heif", "avif"},
	{"mp3"},
	{"wav"},
	{"ogg", "oga", "ogv", "opus", "spx"},
	{"flac"},
	{"amr"},
	{"mp4", "m4a", "m4v", "mov", "3gp", "3g2", "qt"},
	{"webm", "mkv"},
	{"avi"},
	textual,
}

// textual are the formats that shade into each other: a CSV of one column is a
// text, and an e-mail may look like one.
var textual = []string{
	"txt", "text", "log", "md", "csv", "tsv", "json", "ndjson", "xml", "html", "htm", "xhtml", "svg", "eml", "mht", "ics", "vcf",
	"rtf", "srt", "vtt", "js", "py", "sh", "php", "pl", "lua", "rb", "tcl", "yaml", "yml", "toml", "ini", "conf",
}

func kindOf(ext string) int {
	ext = strings.ToLower(strings.TrimPrefix(ext, "."))
	return slices.IndexFunc(kinds, func(k []string) bool { return slices.Contains(k, ext) })
}

// differs reports whether the extension of name says another format than was found.
func (in *inspection) differs(name string) bool {
	said := kindOf(path.Ext(strings.ReplaceAll(name, `\`, "/")))
	if said < 0 || in.locked {
		return false
	}
	is := kindOf(in.Ext)
	if in.text {
		is = len(kinds) - 1
	}
	return said != is
}

// note adds a note, once.
func (f *Format) note(code, value string) {
	if n := (Note{code, value}); !slices.Contains(f.Notes, n) {
		f.Notes = append(f.Notes, n)
	}
}

// has reports whether there is a note of that code.
func (f *Format) has(code string) bool {
	return slices.ContainsFunc(f.Notes, func(n Note) bool { return n.Code == code })
}

// is sets what the content was found to be.
func (f *Format) is(mime, ext string) { f.MIME, f.Ext, f.Name = mime, ext, nameOf(mime, ext) }
