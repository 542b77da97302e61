package queue

import (
	"cmp"
	"context"
	"slices"
	"strconv"
)

// scanBatch is how many entries of an index one look reads, and scanLimit how
// many a page reads at most before it ends short.
const (
	scanBatch = 100
	scanLimit = 1000
)

// entry is one place in an index.
type entry struct {
	id     string
	millis int64
	status Status
}

// List implements [Inspector].
func (r *Redis) List(ctx context.Context, endpointUID string, filter Filter) (Page, error) {
	after, err := parseCursor(filter.Cursor)
	if err != nil {
		return Page{}, err
	}
	var page Page
	limit := filter.limit()
	for scanned := 0; scanned < scanLimit; scanned += scanBatch {
		entries, err := r.scan(ctx, endpointUID, filter.Status, after)
		if err != nil {
			return Page{}, err
		}
		summaries, err := r.summaries(ctx, endpointUID, entries)
		if err != nil {
			return Page{}, err
		}
		for _, at := range entries {
			if !filter.Since.IsZero() && at.millis < filter.Since.UnixMilli() {
				return page, nil
			}
			after = &cursor{millis: at.millis, id: at.id}
			if summary, ok := filter.pick(at, summaries); ok {
				page.Events = append(page.Events, summary)
			}
			if len(page.Events) == limit {
				page.Next = after.String()
				return page, nil
			}
		}
		if len(entries) < scanBatch {
			return page, nil
		}
	}
	page.Next = after.String()
	return page, nil
}

// pick returns the summary of an entry if the filter selects it. Without a
// status an event is listed once, under its own.
func (f *Filter) pick(at entry, summaries map[string]Summary) (Summary, bool) {
	summary, kept := summaries[at.id]
	if !kept || f.Status == "" && summary.Status != at.status {
		return Summary{}, false
	}
	summary.ChangedAt = millisTime(at.millis)
	return summary, f.matches(&summary)
}

// scan reads the next entries of the indexes that the status asks for, latest first.
func (r *Redis) scan(ctx context.Context, endpointUID string, status Status, after *cursor) ([]entry, error) {
	statuses := []Status{status}
	if status == "" {
		statuses = []Status{StatusPending, StatusDead, StatusDelivered}
	}
	var merged []entry
	for _, status := range statuses {
		entries, err := r.scanIndex(ctx, keysOf(endpointUID).index(status), after)
		if err != nil {
			return nil, err
		}
		for i := range entries {
			entries[i].status = status
		}
		merged = append(merged, entries...)
	}
	slices.SortFunc(merged, func(a, b entry) int {
		return cmp.Or(cmp.Compare(b.millis, a.millis), cmp.Compare(b.id, a.id))
	})
	return merged[:min(len(merged), scanBatch)], nil
}

// scanIndex reads entries of one index. Entries with the score of the cursor
// are passed over until its id, as many as there are.
func (r *Redis) scanIndex(ctx context.Context, index string, after *cursor) ([]entry, error) {
	from := "+inf"
	if after != nil {
		from = strconv.FormatInt(after.millis, 10)
	}
	var entries []entry
	for offset := int64(0); len(entries) < scanBatch; offset += scanBatch {
		batch, err := r.scanRange(ctx, index, from, offset)
		if err != nil {
			return nil, err
		}
		for _, at := range batch {
			if after == nil || at.millis < after.millis || at.id < after.id {
				entries = append(entries, at)
			}
		}
		if len(batch) < scanBatch {
			break
		}
	}
	return entries, nil
}

func (r *Redis) scanRange(ctx context.Context, index, from string, offset int64) ([]entry, error) {
	client, err := r.connected()
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, r.options.StepTimeout)
	defer cancel()
	scores, err := client.Do(ctx, client.B().Zrange().Key(index).Min(from).Max("-inf").
		Byscore().Rev().Limit(offset, scanBatch).Withscores().Build()).AsZScores()
	if err != nil {
		return nil, stepError("list", err)
	}
	entries := make([]entry, len(scores))
	for i, score := range scores {
		entries[i] = entry{id: score.Member, millis: int64(score.Score)}
	}
	return entries, nil
}

func (r *Redis) summaries(ctx context.Context, endpointUID string, entries []entry) (map[string]Summary, error) {
	ids, statuses := make([]string, len(entries)), make(map[string]Status, len(entries))
	for i, at := range entries {
		ids[i], statuses[at.id] = at.id, at.status
	}
	found, err := r.peek(ctx, endpointUID, ids)
	if err != nil {
		return nil, err
	}
	summaries := make(map[string]Summary, len(found))
	for _, record := range found {
		if record.newer {
			record.stand(statuses[record.id])
		}
		summaries[record.id] = record.summary()
	}
	return summaries, nil
}
