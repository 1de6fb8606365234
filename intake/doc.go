// Package intake turns files into complaints: CSV and NDJSON, plain or gzipped,
// in the encodings that lenders' systems write. A row that cannot be used is set
// aside with its line and the reason, and reading goes on; memory stays bounded
// whatever the file holds. No message repeats the content of a row.
package intake
