package expr_test

import (
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/postern-dev/postern/receiver/body"
	"github.com/postern-dev/postern/receiver/expr"
)

func pullRequest() *expr.Activation {
	content := []byte(`{"action":"opened","number":9007199254740993,"big":18446744073709551615,"ratio":0.5,"whole":2.0,
		"pull_request":{"draft":false,"labels":[{"name":"bug"},{"name":"ui"}],"head":{"ref":"refs/heads/main"}},
		"nothing":null,"encoded":"eyJhIjoxfQ==","tags":["a","b"]}`)
	return expr.NewActivation(
		expr.Event{
			ID: "0f3a", Type: "pull_request.opened", Source: "github",
			ReceivedAt: time.Date(2026, 11, 23, 13, 0, 0, 0, time.FixedZone("CET", 3600)),
		},
		expr.Request{
			Method: "POST", Path: "/ci/github", RawQuery: "repo=a%2Fb&tag=1&tag=2",
			Header: http.Header{"X-Github-Event": {"pull_request"}, "Accept": {"a", "b"}},
			Body:   body.NewReader(http.Header{"Content-Type": {"application/json"}}, content, body.Options{}),
		})
}

// activate is the activation of an event of which the body alone matters.
func activate(event expr.Event, contentType string, content []byte) *expr.Activation {
	header := http.Header{"Content-Type": {contentType}}
	return expr.NewActivation(event, expr.Request{Body: body.NewReader(header, content, body.Options{})})
}

func TestBool(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		source string
		want   bool
	}{
		"method and path":        {`method == "POST" && path == "/ci/github"`, true},
		"query":                  {`query.repo == ["a/b"] && query["tag"][1] == "2"`, true},
		"absent parameter":       {`"x" in query || has(query.x)`, false},
		"digest of the body":     {`bodySHA256.matches("^[0-9a-f]{64}$")`, true},
		"JSON has no form":       {`size(form) == 0 && form[?"a"].orValue(["none"]) == ["none"]`, true},
		"event field":            {`event.type == "pull_request.opened" && event.source == "github"`, true},
		"event id":               {`event.id.startsWith("0f")`, true},
		"received at is UTC":     {`event.receivedAt.getHours() == 12`, true},
		"header in lower case":   {`headers["x-github-event"] == "pull_request"`, true},
		"repeated header":        {`headers["accept"] == "a, b"`, true},
		"absent header":          {`headers[?"x-absent"].orValue("none") == "none"`, true},
		"header presence":        {`"x-absent" in headers`, false},
		"body field":             {`body.action == "opened"`, true},
		"nested body field":      {`body.pull_request.head.ref.startsWith("refs/heads/")`, true},
		"false stays false":      {`body.pull_request.draft`, false},
		"presence":               {`has(body.pull_request.head) && !has(body.pull_request.base)`, true},
		"null":                   {`body.nothing == null`, true},
		"exists":                 {`body.pull_request.labels.exists(l, l.name == "bug")`, true},
		"all":                    {`body.pull_request.labels.all(l, l.name == "bug")`, false},
		"exact whole number":     {`body.number == 9007199254740993`, true},
		"neighbour is another":   {`body.number == 9007199254740992`, false},
		"unsigned 64 bits":       {`body.big == 18446744073709551615u`, true},
		"whole meets fraction":   {`body.whole == 2 && body.ratio < 1`, true},
		"membership":             {`body.action in ["opened", "reopened"]`, true},
		"membership in the body": {`"b" in body.tags`, true},
		"comparison of lists":    {`body.tags == ["a", "b"]`, true},
		"unequal lists":          {`body.tags != ["a", "c"]`, true},
		"comparison of optional": {`body.?absent == optional.none()`, true},
		"regular expression":     {`body.pull_request.head.ref.matches("^refs/heads/(main|dev)$")`, true},
		"base64":                 {`string(base64.decode(body.encoded)) == "{\"a\":1}"`, true},
		"split":                  {`body.pull_request.head.ref.split("/")[2] == "main"`, true},
		"lowerAscii":             {`"ÄBC".lowerAscii() == "Äbc"`, true},
		"upperAscii":             {`"äbc".upperAscii() == "äBC"`, true},
		"trim":                   {`"  x ".trim() == "x"`, true},
		"replace":                {`"a-b-c".replace("-", ".") == "a.b.c"`, true},
		"indexOf":                {`"äöx".indexOf("x") == 2 && "a".indexOf("b") == -1`, true},
		"substring":              {`"äöxy".substring(1, 3) == "öx" && "äöxy".substring(2) == "xy"`, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			program, err := expr.CompileBool(test.source)
			if err != nil {
				t.Fatal(err)
			}
			got, err := program.Eval(pullRequest())
			if err != nil || got != test.want {
				t.Errorf("%s = %v, %v; want %v", test.source, got, err, test.want)
			}
		})
	}
}

func TestString(t *testing.T) {
	t.Parallel()
	for source, want := range map[string]string{
		`body.action`:                      "opened",
		`headers["x-github-event"] + ".x"`: "pull_request.x",
		`body.number`:                      "9007199254740993",
		`body.big`:                         "18446744073709551615",
		`size(body.tags)`:                  "2",
		`body.nothing`:                     "",
		`has(body.absent) ? body.absent : method`: "POST",
		`query.repo[0]`: "a/b",
	} {
		program, err := expr.CompileString(source)
		if err != nil {
			t.Errorf("%s: %v", source, err)
			continue
		}
		if got, err := program.Eval(pullRequest()); err != nil || got != want {
			t.Errorf("%s = %q, %v; want %q", source, got, err, want)
		}
	}
}

func TestEvaluationErrors(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct{ source, want string }{
		"absent field":      {`body.absent.deeper`, "no such key: absent"},
		"absent header":     {`headers["x-absent"]`, "no such key: x-absent"},
		"fraction":          {`body.ratio`, "gives a double, not a string"},
		"object":            {`body.pull_request`, "gives a map, not a string"},
		"outside the text":  {`"abc".substring(2, 9)`, "outside a text of 3 characters"},
		"reversed range":    {`"abc".substring(2, 1)`, "2 to 1 is outside"},
		"not text":          {`body.tags.trim()`, "no such overload"},
		"not base64":        {`string(base64.decode(body.action + "!"))`, "illegal base64"},
		"longer than a key": {`"` + strings.Repeat("x", 1000) + `".replace("x", "12345")`, "5000 bytes, more than 4096"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			program, err := expr.CompileString(test.source)
			if err != nil {
				t.Fatal(err)
			}
			got, err := program.Eval(pullRequest())
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("%s = %q, %v; want error with %q", test.source, got, err, test.want)
			}
		})
	}
}

// Errors are logged: what the event has in it must not be in them.
func TestErrorsQuoteNoValues(t *testing.T) {
	t.Parallel()
	for _, source := range []string{
		`string(int(body.v))`, `string(uint(body.v))`, `string(double(body.v))`, `string(bool(body.v))`,
		`string(timestamp(body.v))`, `string(duration(body.v))`, `string(base64.decode(body.v))`, `string([1][body.v])`,
		`body.w[body.v]`, `headers[body.v]`, `{"a": "b"}[body.v]`, `string(body.v.matches(body.v))`, `body.v.a`,
		`string({body.v: 1, body.v: 2}.a)`, `string(event(body.v))`, `timestamp("2026-01-01T00:00:00Z").getHours(body.v)`,
		`body.v.substring(100)`, `string(-body.v)`, `string(body.v + 1)`, `string(size(1) + body.v)`, `string(body.v ? 1 : 2)`,
	} {
		program, err := expr.CompileString(source)
		if err != nil {
			continue // some are here in case a library learns them
		}
		_, err = program.Eval(activate(expr.Event{}, "application/json", []byte(`{"v":"hunter(2","w":{}}`)))
		if err == nil || strings.Contains(err.Error(), "hunter") {
			t.Errorf("%s: error %v", source, err)
		}
	}
}

func TestBoolRefusesOtherResults(t *testing.T) {
	t.Parallel()
	program, err := expr.CompileBool(`body.action`)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := program.Eval(pullRequest()); err == nil || got {
		t.Errorf("got %v, %v; want an error: a text is neither true nor false", got, err)
	}
}

func TestBody(t *testing.T) {
	t.Parallel()
	looksIn, err := expr.CompileBool(`has(body.a)`)
	if err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct {
		body string
		want error
	}{
		"object":             {`{"a":1}`, nil},
		"empty":              {``, body.ErrNotJSON},
		"form":               {`a=1&b=2`, body.ErrNotJSON},
		"truncated":          {`{"a":1`, body.ErrNotJSON},
		"two documents":      {`{"a":1}{"a":2}`, body.ErrNotJSON},
		"trailing newline":   {"{\"a\":1}\n", nil},
		"nests too deep":     {strings.Repeat(`[`, 20_000), body.ErrNotJSON},
		"too many values":    {`{"a":[` + strings.Repeat(`0,`, 500_001) + `0]}`, body.ErrTooComplex},
		"a number too large": {`{"a":1e999}`, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			activation := activate(expr.Event{}, "application/json", []byte(test.body))
			got, err := looksIn.Eval(activation)
			if !errors.Is(err, test.want) || got != (test.want == nil) {
				t.Errorf("got %v, %v; want error %v", got, err, test.want)
			}
		})
	}
}

func TestBodyIsNotNeededByOthers(t *testing.T) {
	t.Parallel()
	program, err := expr.CompileBool(`event.type == "x" || has(body.a)`)
	if err != nil {
		t.Fatal(err)
	}
	activation := activate(expr.Event{Type: "x"}, "text/plain", []byte("not json"))
	if got, err := program.Eval(activation); err != nil || !got {
		t.Errorf("got %v, %v: what an expression does not ask for must not fail it", got, err)
	}
}

// A form is seen by its fields, and by its payload as if that were the body.
func TestForm(t *testing.T) {
	t.Parallel()
	const formType = "application/x-www-form-urlencoded; charset=utf-8"
	for name, test := range map[string]struct {
		source, body, want, fails string
	}{
		"field":          {source: `form.a[0] + form["a"][1]`, body: "a=1&a=2", want: "12"},
		"decoded":        {source: `form.a[0]`, body: "a=x%26y+z", want: "x&y z"},
		"absent":         {source: `form.b[0]`, body: "a=1", fails: "no such key"},
		"absent, asked":  {source: `has(form.b) ? form.b[0] : "none"`, body: "a=1", want: "none"},
		"payload":        {source: `body.id`, body: "payload=%7B%22id%22%3A7%7D", want: "7"},
		"payload, field": {source: `form.payload[0]`, body: "payload=%7B%7D", want: "{}"},
		"two payloads":   {source: `body.id`, body: "payload=1&payload=2", fails: "more than one way"},
		"no payload":     {source: `body.id`, body: "a=1", fails: "body is not JSON"},
		"broken":         {source: `form.a[0]`, body: "a=%zz", fails: "not a valid form"},
		"semicolon":      {source: `form.a[0]`, body: "a=1;b=2", fails: "not a valid form"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			program, err := expr.CompileString(test.source)
			if err != nil {
				t.Fatal(err)
			}
			got, err := program.Eval(activate(expr.Event{}, formType, []byte(test.body)))
			switch {
			case test.fails == "" && (err != nil || got != test.want):
				t.Errorf("got %q, %v; want %q", got, err, test.want)
			case test.fails != "" && (err == nil || !strings.Contains(err.Error(), test.fails)):
				t.Errorf("got %q, %v; want an error with %q", got, err, test.fails)
			}
		})
	}
}

func TestBrokenQuery(t *testing.T) {
	t.Parallel()
	program, err := expr.CompileString(`query.a[0]`)
	if err != nil {
		t.Fatal(err)
	}
	for _, query := range []string{"a=1;b=2", "a=%zz"} {
		if got, err := program.Eval(expr.NewActivation(expr.Event{}, expr.Request{RawQuery: query})); !errors.Is(err, expr.ErrQuery) {
			t.Errorf("%s: got %q, %v; want %v", query, got, err, expr.ErrQuery)
		}
	}
}

func TestEventMayChangeBetweenEvaluations(t *testing.T) {
	t.Parallel()
	program, err := expr.CompileBool(`event.type == "after"`)
	if err != nil {
		t.Fatal(err)
	}
	activation := activate(expr.Event{Type: "before"}, "", nil)
	activation.Event.Type = "after"
	if got, err := program.Eval(activation); err != nil || !got {
		t.Errorf("got %v, %v", got, err)
	}
}
