// Command libinjection answers what the Go port of libinjection thinks of strings: for each line of hexadecimal
// digits on standard input a line with the fingerprint of an SQL injection or "-", a space, and 1 for
// cross-site scripting or 0. "." alone ends a batch: what has been answered is written out.
package main

import (
	"bufio"
	"encoding/hex"
	"fmt"
	"os"

	libinjection "github.com/corazawaf/libinjection-go"
)

func main() {
	if err := answer(); err != nil {
		fmt.Fprintln(os.Stderr, "libinjection:", err)
		os.Exit(1)
	}
}

func answer() error {
	lines := bufio.NewScanner(os.Stdin)
	lines.Buffer(nil, 1<<24)
	out := bufio.NewWriterSize(os.Stdout, 1<<16)
	for lines.Scan() {
		if lines.Text() == "." {
			if err := out.Flush(); err != nil {
				return err
			}
			continue
		}
		value, err := hex.DecodeString(lines.Text())
		if err != nil {
			return fmt.Errorf("%q: expected hexadecimal digits: %w", lines.Text(), err)
		}
		fmt.Fprintln(out, verdict(string(value)))
	}
	if err := lines.Err(); err != nil {
		return err
	}
	return out.Flush()
}

func verdict(value string) string {
	isSQLi, fingerprint := libinjection.IsSQLi(value)
	if !isSQLi {
		fingerprint = "-"
	}
	xss := 0
	if libinjection.IsXSS(value) {
		xss = 1
	}
	return fmt.Sprintf("%s %d", fingerprint, xss)
}
