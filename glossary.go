package bonafide

import _ "embed"

// Glossary is what each word of the product means, in Markdown: GLOSSARY.md.
//
//go:embed GLOSSARY.md
var Glossary string
