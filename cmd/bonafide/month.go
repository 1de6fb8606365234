package main

import (
	"context"
	"encoding/json"
	"errors"
	"io"

	"bonafide"
	"bonafide/report"
	"bonafide/store"
)

type monthCmd struct {
	acting
	Month  string `arg:"" optional:"" help:"Such as 2026-11. Default: this one."`
	Format string `help:"csv, xlsx, pdf or json." default:"csv" enum:"csv,xlsx,pdf,json"`
	Lang   string `help:"Language of the words: en, zh or pt." default:"en" enum:"en,zh,pt"`
	To     string `help:"File to write; it must not exist. Default: standard output." type:"path"`
}

// Help says what the sheet counts.
func (monthCmd) Help() string {
	return `The monthly sheet counts cases pushed, filed, in preparation, of gang type and closed by exit; amounts;
complaints by level; how many were flagged and upheld; clocks kept; and how often each kind of evidence was
right. Who may see cases gets the cases behind each figure; a regulator gets the figures.`
}

// Run writes the sheet of a month.
func (c *monthCmd) Run(ctx context.Context, s *streams) (err error) {
	d, err := c.sit(ctx, bonafide.ScopeFiguresRead)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, d.db.Close()) }()
	var sheet report.MonthSheet
	if err := d.db.View(ctx, func(tx *store.Tx) (err error) {
		sheet, err = d.engine.Month(ctx, tx, d.tenant, c.Month, d.by.May(bonafide.ScopeCasesRead))
		return err
	}); err != nil {
		return err
	}
	var b []byte
	switch c.Format {
	case "csv":
		b, err = report.MonthCSV(&sheet)
	case "xlsx":
		b, err = report.MonthXLSX(&sheet, c.Lang)
	case "pdf":
		b, err = report.MonthPDF(&sheet, c.Lang)
	case "json":
		b, err = json.MarshalIndent(sheet, "", "  ")
	}
	if err != nil {
		return err
	}
	if c.To == "" {
		_, err = s.out.Write(b)
		return err
	}
	return writeWhole(c.To, func(w io.Writer) error { _, err := w.Write(b); return err })
}
