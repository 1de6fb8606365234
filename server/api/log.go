package api

import (
	"encoding/json"
	"net/http"
	"strconv"
	"time"

	"golang.org/x/mod/sumdb/tlog"

	"bonafide"
	"bonafide/evidence"
	"bonafide/server"
	"bonafide/store"
)

// A checkpointView says how large the log was at a time, signed. Keep it where whoever
// runs this cannot reach it: it proves later that nothing was changed before it.
type checkpointView struct {
	Size int64     `json:"size"`
	At   time.Time `json:"at"`
	Text string    `json:"text"`          // the signed note
	Key  string    `json:"key,omitempty"` // verifies it
}

// checkpoint shows the latest checkpoint of the log.
func (a *api) checkpoint(w http.ResponseWriter, r *http.Request, who caller) error {
	ctx := r.Context()
	var rows []store.CheckpointRow
	err := a.Store.View(ctx, func(tx *store.Tx) (err error) {
		rows, err = tx.Checkpoints(ctx, who.tenant)
		return err
	})
	if err != nil {
		return err
	}
	if len(rows) == 0 {
		return &bonafide.Error{Kind: bonafide.NotFound, Msg: "there is no checkpoint yet: the first is made within minutes"}
	}
	last := rows[len(rows)-1]
	return answer(w, http.StatusOK, checkpointView{Size: last.Size, At: utc(last.At), Text: string(last.Text), Key: a.LogKey})
}

// An entryView is one entry of the log. Text is what the tree hashes, byte for byte;
// the other fields are the same in parts.
type entryView struct {
	N      int64           `json:"n"` // from 0
	At     time.Time       `json:"at"`
	Actor  string          `json:"actor"`
	Action string          `json:"action"`
	Target string          `json:"target"`
	Detail json.RawMessage `json:"detail,omitempty"`
	Text   string          `json:"text"`
}

func entryOf(row evidence.Row) entryView {
	v := entryView{N: row.ID, Text: string(row.Data)}
	e, err := evidence.ParseEntry(row.Data)
	if err != nil { // somebody changed it: it is shown as it is, and verifying the log names it
		v.Action = "unreadable"
		return v
	}
	v.At, v.Actor, v.Action, v.Target, v.Detail = time.UnixMicro(e.Time).UTC(), e.Actor, e.Action, e.Target, e.Detail
	return v
}

// listEntries lists the log from its beginning.
func (a *api) listEntries(w http.ResponseWriter, r *http.Request, who caller) error {
	ctx := r.Context()
	after, limit, err := page(r, -1)
	if err != nil {
		return err
	}
	var rows []evidence.Row
	err = a.Store.View(ctx, func(tx *store.Tx) (err error) {
		rows, err = tx.Entries(ctx, who.tenant, after, limit)
		return err
	})
	if err != nil {
		return err
	}
	views := make([]entryView, len(rows))
	for i, row := range rows {
		views[i] = entryOf(row)
	}
	return answer(w, http.StatusOK, paged(views, limit, func(v entryView) int64 { return v.N }))
}

// A proofView shows that an entry is in the tree of the log's first Size entries, by
// RFC 6962: hash Text, and with the hashes in Proof, up to Root.
type proofView struct {
	N     int64       `json:"n"`
	Size  int64       `json:"size"`
	Text  string      `json:"text"`
	Root  tlog.Hash   `json:"root"`
	Proof []tlog.Hash `json:"proof"`
}

// prove proves that an entry is in the log: as the log is now, or as it was when it had
// size entries, such as at a checkpoint.
func (a *api) prove(w http.ResponseWriter, r *http.Request, who caller) error {
	ctx := r.Context()
	n, err := strconv.ParseInt(r.PathValue("n"), 10, 64)
	if err != nil || n < 0 {
		return &bonafide.Error{Kind: bonafide.NotFound, Msg: "no such entry: they are numbered from 0"}
	}
	var size int64
	if s := param(r, "size"); s != "" {
		if size, err = strconv.ParseInt(s, 10, 64); err != nil || size < 1 {
			return &server.Refusal{Status: http.StatusBadRequest, Field: "size", Detail: "size: not a number of entries"}
		}
	}
	var v proofView
	err = a.Store.View(ctx, func(tx *store.Tx) error {
		tree, err := tx.LogTree(ctx, who.tenant)
		if err != nil {
			return err
		}
		if size > tree.N || n >= max(size, 1) && size > 0 || n >= tree.N {
			return &bonafide.Error{Kind: bonafide.NotFound, Msg: "the log does not have so many entries"}
		}
		row, err := tx.LogRow(ctx, who.tenant, n)
		if err != nil {
			return err
		}
		v = proofView{N: n, Size: tree.N, Text: string(row.Data), Root: tree.Hash, Proof: []tlog.Hash{}}
		hashes := tx.Hashes(ctx, who.tenant)
		if size > 0 && size != tree.N {
			v.Size = size
			if v.Root, err = tlog.TreeHash(size, hashes); err != nil {
				return err
			}
		}
		proof, err := evidence.ProveRecord(v.Size, n, hashes)
		v.Proof = append(v.Proof, proof...)
		return err
	})
	if err != nil {
		return err
	}
	return answer(w, http.StatusOK, v)
}
