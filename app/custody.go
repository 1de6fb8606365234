package app

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"bonafide"
	"bonafide/casework"
	"bonafide/engine"
	"bonafide/evidence"
	"bonafide/evidence/custody"
	"bonafide/evidence/pack"
	"bonafide/evidence/stamp"
	"bonafide/outbox"
	"bonafide/store"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

// EvidencePlace is where originals are kept.
func (c *Config) EvidencePlace() string {
	if c.Evidence != "" {
		return c.Evidence
	}
	return filepath.Join(c.Data, "evidence")
}

// keeper opens the place where originals are kept.
func (c *Config) keeper(ctx context.Context) (*custody.Keeper, error) {
	place := c.EvidencePlace()
	credentials := custody.Credentials{Key: c.evidenceKey, Secret: c.evidenceSecret, Region: c.EvidenceRegion}
	spool := filepath.Join(c.Data, "spool")
	if !strings.HasPrefix(place, "s3+") {
		if err := os.MkdirAll(place, 0o700); err != nil {
			return nil, invalid("evidence: %s cannot be made: %v", place, errors.Unwrap(err))
		}
		spool = filepath.Join(place, "spool") // on the same file system
		place = filepath.Join(place, "objects")
	}
	objects, err := custody.OpenObjects(ctx, place, credentials)
	if err != nil {
		return nil, err
	}
	return custody.NewKeeper(objects, spool, rand.Reader, time.Now)
}

// authority is who stamps checkpoints with the time, and its certificates; nil where none
// is configured.
func (c *Config) authority() (*outbox.Authority, []byte, error) {
	if c.TSAURL == "" {
		return nil, nil, nil
	}
	// A time-stamp is signed and says nothing about what it is of: plain HTTP, the only thing
	// that many authorities speak, will do.
	u, err := url.Parse(c.TSAURL)
	if err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" {
		return nil, nil, invalid("tsa_url: not an address such as https://tsa.example.org/")
	}
	f, err := os.Open(c.TSARoots)
	if err != nil {
		return nil, nil, invalid("tsa_roots: name a file with the authority's root certificates in PEM: without them its stamps cannot be checked")
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, stamp.MaxToken))
	if err != nil {
		return nil, nil, invalid("tsa_roots: %s cannot be read", filepath.Base(c.TSARoots))
	}
	roots, err := stamp.ParseRoots(b)
	if err != nil {
		return nil, nil, fmt.Errorf("tsa_roots: %w", err)
	}
	return &outbox.Authority{URL: c.TSAURL, Roots: roots, Random: rand.Reader}, b, nil
}

// checkEvidence says what is wrong with where evidence is kept. What it says repeats no part
// of an address.
func (c *Config) checkEvidence() error {
	if rest, ok := strings.CutPrefix(c.Evidence, "s3+"); ok {
		u, err := url.Parse(rest)
		switch {
		case err != nil || u.Host == "" || strings.Trim(u.Path, "/") == "":
			return invalid("evidence: not an address such as s3+https://storage.example.org/bucket")
		case u.User != nil:
			return invalid("evidence: no key in an address: set BONAFIDE_EVIDENCE_KEY and BONAFIDE_EVIDENCE_SECRET")
		case c.evidenceKey == "" || c.evidenceSecret == "":
			return invalid("evidence: set BONAFIDE_EVIDENCE_KEY and BONAFIDE_EVIDENCE_SECRET")
		}
	} else if strings.Contains(c.Evidence, "://") {
		return invalid("evidence: neither a directory nor s3+https://host/bucket")
	}
	return nil
}

// seals gives an engine what it needs to keep evidence and seal packs.
func (c *Config) seals(ctx context.Context, signer note.Signer, logKey string, to *engine.Config) error {
	keeper, err := c.keeper(ctx)
	if err != nil {
		return err
	}
	// The key of the log is drawn once: a backup has it, and a new database another. Where
	// the place is another database's the keeper sweeps nothing there, and says so.
	if _, err := keeper.Own(ctx, pack.Fingerprint([]byte(logKey))); err != nil {
		return err
	}
	authority, roots, err := c.authority()
	if err != nil {
		return err
	}
	to.Keeper, to.LogKey, to.Lender, to.StampRoots = keeper, logKey, c.LenderName, roots
	to.Origin = func(t bonafide.Tenant) string { return origin(signer, t) }
	to.Sign = func(t bonafide.Tenant, tree tlog.Tree, at time.Time) ([]byte, error) {
		return evidence.SignCheckpoint(signer, origin(signer, t), tree, at)
	}
	if authority != nil {
		to.Stamp = authority.Stamp
	}
	return nil
}

func origin(signer note.Signer, t bonafide.Tenant) string { return signer.Name() + "/" + string(t) }

// logSigner reads the key that signs checkpoints, and the one that verifies them.
func logSigner(ctx context.Context, db *store.DB) (signer note.Signer, key string, err error) {
	err = db.View(ctx, func(tx *store.Tx) error {
		secret, public, err := tx.SigningKey(ctx)
		if err != nil {
			return err
		}
		key = public
		if signer, err = note.NewSigner(secret); err != nil {
			return fmt.Errorf("signing key of the log: %w", err)
		}
		return nil
	})
	return signer, key, err
}

// stampEvery is how often a log is stamped at least, where something was written.
const stampEvery = 24 * time.Hour

// stamps has the newest checkpoint of every log stamped once a day, until ctx ends.
func (a *App) stamps(ctx context.Context) error {
	authority, _, err := a.cfg.authority()
	if err != nil || authority == nil {
		return err
	}
	for {
		if err := a.stampAll(ctx, authority); err != nil && ctx.Err() == nil {
			a.log.WarnContext(ctx, "stamp the log with the time", slog.Any("err", err))
		}
		t := time.NewTimer(10 * time.Minute)
		select {
		case <-ctx.Done():
			t.Stop()
			return nil
		case <-t.C:
		}
	}
}

func (a *App) stampAll(ctx context.Context, authority *outbox.Authority) error {
	var tenants []store.TenantRow
	if err := a.DB.View(ctx, func(tx *store.Tx) (err error) { tenants, err = tx.Tenants(ctx); return err }); err != nil {
		return err
	}
	var errs []error
	for _, t := range tenants {
		errs = append(errs, a.stampLog(ctx, authority, t.ID))
	}
	return errors.Join(errs...)
}

func (a *App) stampLog(ctx context.Context, authority *outbox.Authority, t bonafide.Tenant) error {
	var last store.CheckpointRow
	var have []store.Stamp
	err := a.DB.View(ctx, func(tx *store.Tx) error {
		all, err := tx.Checkpoints(ctx, t)
		if err != nil {
			return err
		}
		if n := len(all); n > 0 {
			last = all[n-1]
		}
		have, err = tx.Stamps(ctx, t, 1)
		return err
	})
	now := time.Now().UTC()
	if err != nil || last.Size == 0 || len(have) > 0 && (have[0].Size >= last.Size || now.Sub(have[0].At) < stampEvery) {
		return err
	}
	token, err := authority.Stamp(ctx, last.Text)
	if err != nil {
		return err
	}
	return a.DB.Update(ctx, func(tx *store.Tx) error {
		return tx.AddStamp(ctx, t, bonafide.System("stamp"), store.Stamp{Size: last.Size, At: now, Token: token})
	})
}

// Offline opens the database of a config with an engine that works for nobody but the
// caller: it takes no jobs and no complaints. What it needs of the complaints of a tenant it
// reads when [engine.Engine.Fill] is called. Close the database afterwards.
func Offline(ctx context.Context, cfg Config, parts Parts) (*store.DB, *engine.Engine, error) {
	db, err := Open(ctx, cfg, false)
	if err != nil {
		return nil, nil, err
	}
	c, err := offline(ctx, cfg, parts, db)
	if err != nil {
		return nil, nil, errors.Join(err, db.Close())
	}
	return db, engine.New(c), nil
}

func offline(ctx context.Context, cfg Config, parts Parts, db *store.DB) (engine.Config, error) {
	clocks, err := casework.Load(cfg.Jurisdiction)
	if err != nil {
		return engine.Config{}, err
	}
	c := engine.Config{
		DB: db, Clocks: clocks, Now: time.Now, Log: cfg.Logger(parts.Log), Version: parts.Version, Normalize: parts.Normalize,
		Policy: parts.Policy, Public: parts.Public, Random: rand.Reader,
	}
	signer, key, err := logSigner(ctx, db)
	if err != nil {
		return c, err
	}
	return c, cfg.seals(ctx, signer, key, &c)
}
