// Unzstd unpacks a zstd stream from stdin to stdout, for hosts that have no zstd of their own.
// `unzstd -compress` packs instead; the output depends on the input alone, so packing is reproducible.
package main

import (
	"fmt"
	"io"
	"os"

	"github.com/klauspost/compress/zstd"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "unzstd:", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	switch {
	case len(args) == 0:
		return unpack()
	case len(args) == 1 && args[0] == "-compress":
		return pack()
	}
	return fmt.Errorf("usage: unzstd [-compress] < input > output")
}

func unpack() error {
	reader, err := zstd.NewReader(os.Stdin)
	if err != nil {
		return err
	}
	defer reader.Close()
	// CopyBuffer with a plain writer: large writes, so that a pipe or a file costs few system calls.
	_, err = reader.WriteTo(os.Stdout)
	return err
}

func pack() error {
	writer, err := zstd.NewWriter(os.Stdout, zstd.WithEncoderLevel(zstd.SpeedBetterCompression))
	if err != nil {
		return err
	}
	if _, err := io.Copy(writer, os.Stdin); err != nil {
		return err
	}
	return writer.Close()
}
