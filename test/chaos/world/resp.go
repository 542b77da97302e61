package world

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"strings"
	"time"
)

// askTimeout bounds one question to a store.
const askTimeout = 2 * time.Second

// ask runs commands on a connection of their own and returns the last reply:
// the few words that a harness needs of the protocol, so that what it sees does
// not depend on the product's client.
func ask(ctx context.Context, network, address string, commands ...[]string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	conn, err := (&net.Dialer{}).DialContext(ctx, network, address)
	if err != nil {
		return "", err
	}
	defer conn.Close()
	deadline, _ := ctx.Deadline()
	if err := conn.SetDeadline(deadline); err != nil {
		return "", err
	}
	var reply string
	reader := bufio.NewReader(conn)
	for _, command := range commands {
		request := fmt.Sprintf("*%d\r\n", len(command))
		for _, word := range command {
			request += fmt.Sprintf("$%d\r\n%s\r\n", len(word), word)
		}
		if _, err := io.WriteString(conn, request); err != nil {
			return "", err
		}
		if reply, err = readReply(reader); err != nil {
			return "", fmt.Errorf("%s: %w", command[0], err)
		}
	}
	return reply, nil
}

// readReply returns a reply as text, the items of an array one a line.
func readReply(reader *bufio.Reader) (string, error) {
	line, err := reader.ReadString('\n')
	if err != nil {
		return "", err
	}
	line = strings.TrimRight(line, "\r\n")
	if line == "" {
		return "", errors.New("an empty reply")
	}
	kind, rest := line[0], line[1:]
	switch kind {
	case '+', ':':
		return rest, nil
	case '-':
		return "", errors.New(rest)
	case '$':
		return readBulk(reader, rest)
	case '*':
		count, err := strconv.Atoi(rest)
		items := make([]string, max(count, 0))
		for i := range items {
			if items[i], err = readReply(reader); err != nil {
				return "", err
			}
		}
		return strings.Join(items, "\n"), err
	}
	return "", fmt.Errorf("a reply that begins with %q", kind)
}

func readBulk(reader *bufio.Reader, length string) (string, error) {
	n, err := strconv.Atoi(length)
	if err != nil || n < 0 {
		return "", err
	}
	content := make([]byte, n+2)
	if _, err := io.ReadFull(reader, content); err != nil {
		return "", err
	}
	return string(content[:n]), nil
}
