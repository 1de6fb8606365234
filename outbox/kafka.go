package outbox

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strconv"
	"time"

	"bonafide"
	"bonafide/intake"
	"bonafide/store"

	"github.com/twmb/franz-go/pkg/kgo"
)

// Kafka reads complaints from one topic and writes events to another, for lenders who
// have brokers.
type Kafka struct {
	DB      *store.DB
	Now     func() time.Time
	Log     *slog.Logger
	Brokers []string
	TLS     bool
	Tenant  bonafide.Tenant
	In, Out string // topics; "" leaves that direction out
	// Submit stores complaints and returns once they are durable.
	Submit func(ctx context.Context, t bonafide.Tenant, by bonafide.Actor, cs []*bonafide.Complaint) ([]bonafide.PutStatus, error)
}

// system is who hands in what comes from Kafka.
var fromKafka = bonafide.System("kafka")

// Group names the consumer group of a tenant's complaints.
func (k *Kafka) group() string { return "bonafide-" + string(k.Tenant) }

// rejected is the topic that names the records which could not be used.
func (k *Kafka) rejected() string { return k.In + ".rejected" }

func (k *Kafka) options() []kgo.Opt {
	o := []kgo.Opt{kgo.SeedBrokers(k.Brokers...), kgo.ClientID("bonafide"), kgo.FetchMaxBytes(16 << 20), kgo.AllowAutoTopicCreation()}
	if k.TLS {
		o = append(o, kgo.DialTLSConfig(&tls.Config{MinVersion: tls.VersionTLS12}))
	}
	return o
}

// Read hands in what stands in the topic until ctx ends. An offset is committed once its
// complaint is durable: after a fall some are handed in again, and are found unchanged.
func (k *Kafka) Read(ctx context.Context) error {
	c, err := kgo.NewClient(append(k.options(), kgo.ConsumerGroup(k.group()), kgo.ConsumeTopics(k.In), kgo.DisableAutoCommit(),
		kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()))...)
	if err != nil {
		return fmt.Errorf("kafka: %w", err)
	}
	defer c.Close()
	for {
		got := c.PollRecords(ctx, 256)
		if ctx.Err() != nil || got.IsClientClosed() {
			return nil
		}
		got.EachError(func(topic string, partition int32, err error) {
			k.Log.WarnContext(ctx, "read from kafka", slog.Any("topic", topic), slog.Any("partition", partition), slog.Any("err", err))
		})
		records := got.Records()
		if len(records) == 0 {
			continue
		}
		for k.hand(ctx, c, records) != nil {
			if !sleep(ctx, time.Second) {
				return nil
			}
		}
		if err := c.CommitRecords(ctx, records...); err != nil && ctx.Err() == nil {
			k.Log.WarnContext(ctx, "commit to kafka", slog.Any("err", err))
		}
	}
}

// hand stores the complaints of some records, and names those that are none.
func (k *Kafka) hand(ctx context.Context, c *kgo.Client, records []*kgo.Record) error {
	var cs []*bonafide.Complaint
	var from []*kgo.Record
	var bad []*kgo.Record
	for _, r := range records {
		one, err := intake.ParseComplaint(r.Value)
		if err != nil {
			bad = append(bad, k.reject(r, err))
			continue
		}
		cs, from = append(cs, one), append(from, r)
	}
	if len(cs) > 0 {
		statuses, err := k.Submit(ctx, k.Tenant, fromKafka, cs)
		if err != nil {
			if ctx.Err() == nil {
				k.Log.WarnContext(ctx, "store what came from kafka; trying again", slog.Any("err", err))
			}
			return err
		}
		for i, s := range statuses {
			if s == bonafide.PutConflict {
				bad = append(bad, k.reject(from[i], &bonafide.Error{Kind: bonafide.Conflict, Msg: "another complaint is stored under this id"}))
			}
		}
	}
	if len(bad) == 0 {
		return nil
	}
	return c.ProduceSync(ctx, bad...).FirstErr()
}

// reject says where a record stands that could not be used, and why. What stood in it
// is not repeated.
func (k *Kafka) reject(r *kgo.Record, err error) *kgo.Record {
	reason := "not a complaint"
	if e, ok := errors.AsType[*bonafide.Error](err); ok {
		reason = e.Msg
	}
	// Strings and numbers can always be written.
	body, _ := json.Marshal(map[string]any{"topic": r.Topic, "partition": r.Partition, "offset": r.Offset, "reason": reason})
	return &kgo.Record{Topic: k.rejected(), Value: body}
}

// How events are written: one process leads, and another takes over when it is gone.
const (
	lead     = 30 * time.Second
	cursor   = "kafka"
	atATime  = 500
	lookAway = time.Second
)

// Write writes events to the topic until ctx ends, each at least once and in order; the key
// is the ring or the target, so that what belongs together stays in order.
func (k *Kafka) Write(ctx context.Context) error {
	c, err := kgo.NewClient(append(k.options(), kgo.RequiredAcks(kgo.AllISRAcks()))...)
	if err != nil {
		return fmt.Errorf("kafka: %w", err)
	}
	defer c.Close()
	owner := k.DB.NewID()
	for {
		n, err := k.write(ctx, c, owner)
		if err != nil && ctx.Err() == nil {
			k.Log.WarnContext(ctx, "write to kafka; trying again", slog.Any("err", err))
		}
		if n == atATime && err == nil {
			continue
		}
		if !sleep(ctx, lookAway) {
			return nil
		}
	}
}

func (k *Kafka) write(ctx context.Context, c *kgo.Client, owner string) (int, error) {
	var from int64
	var mine bool
	err := k.DB.Update(ctx, func(tx *store.Tx) (err error) {
		from, mine, err = tx.LeadCursor(ctx, k.Tenant, cursor, owner, k.Now(), lead)
		return err
	})
	if err != nil || !mine {
		return 0, err
	}
	var events []bonafide.Event
	err = k.DB.View(ctx, func(tx *store.Tx) (err error) {
		events, err = tx.Events(ctx, k.Tenant, from, atATime)
		return err
	})
	if err != nil || len(events) == 0 {
		return 0, err
	}
	out := make([]*kgo.Record, len(events))
	for i, ev := range events {
		body, err := json.Marshal(ev)
		if err != nil {
			return 0, fmt.Errorf("write event: %w", err)
		}
		key := ev.Ring
		if key == "" {
			key = ev.Target.ID
		}
		out[i] = &kgo.Record{
			Topic: k.Out, Key: []byte(key), Value: body,
			Headers: []kgo.RecordHeader{{Key: "type", Value: []byte(ev.Type)}, {Key: "seq", Value: []byte(strconv.FormatInt(ev.Seq, 10))}},
		}
	}
	if err := c.ProduceSync(ctx, out...).FirstErr(); err != nil {
		return 0, err
	}
	return len(events), k.DB.Update(ctx, func(tx *store.Tx) error {
		return tx.MoveCursor(ctx, k.Tenant, cursor, owner, events[len(events)-1].Seq)
	})
}

func sleep(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-t.C:
		return true
	}
}
