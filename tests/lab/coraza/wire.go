package main

import (
	"bufio"
	"encoding/binary"
	"errors"
	"io"
)

// The frames, all numbers 32 bits, the most significant byte first:
//
//	text     length, bytes
//	pairs    count, (text name, text value)...
//	request  length of what follows, text method, text uri, text protocol, pairs headers, text body,
//	         status of the response, pairs its headers, text its body
//	answer   length of what follows, count, logged rule ids..., count, views..., status, rule id
//	view     text, or 0xffffffff if it has no value
//
// status and rule id are 0 if nothing stopped the request.
const absent = 0xffffffff

var errFrame = errors.New("a frame ends early")

type request struct {
	method, uri, protocol string
	headers               [][2]string
	body                  []byte
	responseStatus        uint32
	responseHeaders       [][2]string
	responseBody          []byte
}

type answer struct {
	logged       []uint32
	views        []*string
	status, rule uint32
}

func readRequest(in *bufio.Reader) (*request, error) {
	var length [4]byte
	if _, err := io.ReadFull(in, length[:]); err != nil {
		return nil, err
	}
	frame := make([]byte, binary.BigEndian.Uint32(length[:]))
	if _, err := io.ReadFull(in, frame); err != nil {
		return nil, err
	}
	cursor := cursor{rest: frame}
	result := &request{
		method:          string(cursor.text()),
		uri:             string(cursor.text()),
		protocol:        string(cursor.text()),
		headers:         cursor.pairs(),
		body:            cursor.text(),
		responseStatus:  cursor.number(),
		responseHeaders: cursor.pairs(),
		responseBody:    cursor.text(),
	}
	if cursor.broken {
		return nil, errFrame
	}
	return result, nil
}

type cursor struct {
	rest   []byte
	broken bool
}

func (c *cursor) take(length uint32) []byte {
	if uint64(length) > uint64(len(c.rest)) {
		c.broken = true
		return nil
	}
	taken := c.rest[:length]
	c.rest = c.rest[length:]
	return taken
}

func (c *cursor) number() uint32 {
	if bytes := c.take(4); bytes != nil {
		return binary.BigEndian.Uint32(bytes)
	}
	return 0
}

func (c *cursor) text() []byte { return c.take(c.number()) }

func (c *cursor) pairs() [][2]string {
	var result [][2]string
	for count := c.number(); count > 0 && !c.broken; count-- {
		name := string(c.text())
		result = append(result, [2]string{name, string(c.text())})
	}
	return result
}

func (a *answer) write(out *bufio.Writer) error {
	var frame []byte
	number := func(value uint32) { frame = binary.BigEndian.AppendUint32(frame, value) }
	number(uint32(len(a.logged)))
	for _, id := range a.logged {
		number(id)
	}
	number(uint32(len(a.views)))
	for _, view := range a.views {
		if view == nil {
			number(absent)
			continue
		}
		number(uint32(len(*view)))
		frame = append(frame, *view...)
	}
	number(a.status)
	number(a.rule)
	var length [4]byte
	binary.BigEndian.PutUint32(length[:], uint32(len(frame)))
	if _, err := out.Write(length[:]); err != nil {
		return err
	}
	_, err := out.Write(frame)
	return err
}
