// Coraza as an oracle: requests in on stdin, what it made of them out on stdout.
//
//	coraza DETECTING.conf BLOCKING.conf VIEW,VIEW,...
//
// Every request runs through two rule sets: DETECTING, of which the logged rules and the TX variables VIEW are
// answered, and BLOCKING, of which the verdict is. The frames are described in wire.go.
package main

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/corazawaf/coraza/v3"
	"github.com/corazawaf/coraza/v3/experimental/plugins/plugintypes"
	"github.com/corazawaf/coraza/v3/types"
)

func main() {
	if len(os.Args) != 4 {
		fmt.Fprintln(os.Stderr, "usage: coraza DETECTING.conf BLOCKING.conf VIEW,VIEW,...")
		os.Exit(2)
	}
	if err := serve(os.Args[1], os.Args[2], strings.Split(os.Args[3], ",")); err != nil {
		fmt.Fprintln(os.Stderr, "coraza:", err)
		os.Exit(1)
	}
}

// engine is one rule set, with the rules that the transaction at hand has logged.
type engine struct {
	waf    coraza.WAF
	logged []uint32
}

func load(path string) (*engine, error) {
	e := &engine{}
	config := coraza.NewWAFConfig().
		WithErrorCallback(func(rule types.MatchedRule) {
			e.logged = append(e.logged, uint32(rule.Rule().ID()))
		}).
		WithDirectivesFromFile(path)
	waf, err := coraza.NewWAF(config)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	e.waf = waf
	return e, nil
}

func serve(detecting, blocking string, views []string) error {
	detector, err := load(detecting)
	if err != nil {
		return err
	}
	blocker, err := load(blocking)
	if err != nil {
		return err
	}
	in, out := bufio.NewReaderSize(os.Stdin, 1<<16), bufio.NewWriterSize(os.Stdout, 1<<16)
	for {
		request, err := readRequest(in)
		if err == io.EOF {
			return out.Flush()
		}
		if err != nil {
			return err
		}
		answer := detector.inspect(request, views)
		verdict := blocker.inspect(request, nil)
		answer.status, answer.rule = verdict.status, verdict.rule
		if err := answer.write(out); err != nil {
			return err
		}
		if in.Buffered() == 0 {
			if err := out.Flush(); err != nil {
				return err
			}
		}
	}
}

func (e *engine) inspect(request *request, views []string) *answer {
	e.logged = nil
	tx := e.waf.NewTransaction()
	defer tx.Close()
	stopped := phases(tx, request)
	tx.ProcessLogging()
	result := &answer{logged: e.logged, views: readViews(tx, views)}
	if stopped != nil {
		result.status, result.rule = uint32(stopped.Status), uint32(stopped.RuleID)
	}
	return result
}

// phases runs phases 1 to 4, or up to the one that stops the request.
func phases(tx types.Transaction, request *request) *types.Interruption {
	tx.ProcessConnection("127.0.0.1", 51000, "127.0.0.1", 80)
	tx.ProcessURI(request.uri, request.method, request.protocol)
	for _, header := range request.headers {
		tx.AddRequestHeader(header[0], header[1])
	}
	if it := tx.ProcessRequestHeaders(); it != nil {
		return it
	}
	if len(request.body) > 0 {
		if it, _, err := tx.WriteRequestBody(request.body); it != nil || err != nil {
			return it
		}
	}
	if it, _ := tx.ProcessRequestBody(); it != nil {
		return it
	}
	for _, header := range request.responseHeaders {
		tx.AddResponseHeader(header[0], header[1])
	}
	if it := tx.ProcessResponseHeaders(int(request.responseStatus), request.protocol); it != nil {
		return it
	}
	if tx.IsResponseBodyAccessible() && tx.IsResponseBodyProcessable() && len(request.responseBody) > 0 {
		if it, _, err := tx.WriteResponseBody(request.responseBody); it != nil || err != nil {
			return it
		}
	}
	it, _ := tx.ProcessResponseBody()
	return it
}

func readViews(tx types.Transaction, names []string) []*string {
	if len(names) == 0 {
		return nil
	}
	state, ok := tx.(plugintypes.TransactionState)
	if !ok {
		return make([]*string, len(names))
	}
	result := make([]*string, len(names))
	for index, name := range names {
		if values := state.Variables().TX().Get(name); len(values) > 0 {
			result[index] = &values[0]
		}
	}
	return result
}
