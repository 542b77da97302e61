package expr_test

import (
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/postern-dev/postern/receiver/expr"
)

func pullRequest() *expr.Activation {
	return expr.NewActivation(
		expr.Event{
			ID: "0f3a", Type: "pull_request.opened", Source: "github",
			ReceivedAt: time.Date(2026, 11, 23, 13, 0, 0, 0, time.FixedZone("CET", 3600)),
		},
		http.Header{"X-Github-Event": {"pull_request"}, "Accept": {"a", "b"}},
		[]byte(`{"action":"opened","number":9007199254740993,"big":18446744073709551615,"ratio":0.5,"whole":2.0,
			"pull_request":{"draft":false,"labels":[{"name":"bug"},{"name":"ui"}],"head":{"ref":"refs/heads/main"}},
			"nothing":null,"encoded":"eyJhIjoxfQ==","tags":["a","b"]}`))
}

func TestBool(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		source string
		want   bool
	}{
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
		`has(body.absent) ? body.absent : event.type`: "pull_request.opened",
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
		"empty":              {``, expr.ErrNotJSON},
		"form":               {`a=1&b=2`, expr.ErrNotJSON},
		"truncated":          {`{"a":1`, expr.ErrNotJSON},
		"two documents":      {`{"a":1}{"a":2}`, expr.ErrNotJSON},
		"trailing newline":   {"{\"a\":1}\n", nil},
		"nests too deep":     {strings.Repeat(`[`, 20_000), expr.ErrNotJSON},
		"too many values":    {`{"a":[` + strings.Repeat(`0,`, 500_001) + `0]}`, expr.ErrBodyTooComplex},
		"a number too large": {`{"a":1e999}`, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			activation := expr.NewActivation(expr.Event{}, nil, []byte(test.body))
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
	activation := expr.NewActivation(expr.Event{Type: "x"}, nil, []byte("not json"))
	if got, err := program.Eval(activation); err != nil || !got {
		t.Errorf("got %v, %v: what an expression does not ask for must not fail it", got, err)
	}
}

// The second program must see the value that the first one had parsed, even
// though the bytes have been overwritten since.
func TestBodyIsParsedOnce(t *testing.T) {
	t.Parallel()
	program, err := expr.CompileString(`body.a`)
	if err != nil {
		t.Fatal(err)
	}
	body := []byte(`{"a":"first"}`)
	activation := expr.NewActivation(expr.Event{}, nil, body)
	for range 2 {
		if got, err := program.Eval(activation); err != nil || got != "first" {
			t.Fatalf("got %q, %v", got, err)
		}
		copy(body, `{"a":"again"}`)
	}
}

func TestEventMayChangeBetweenEvaluations(t *testing.T) {
	t.Parallel()
	program, err := expr.CompileString(`event.type`)
	if err != nil {
		t.Fatal(err)
	}
	activation := expr.NewActivation(expr.Event{Type: "before"}, nil, nil)
	activation.Event.Type = "after"
	if got, err := program.Eval(activation); err != nil || got != "after" {
		t.Errorf("got %q, %v", got, err)
	}
}
