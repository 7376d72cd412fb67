package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"time"
)

// sample is one request: when it was started, in milliseconds since the epoch, how long it took, and why it failed.
type sample struct {
	At     int64  `json:"at"`
	Millis int64  `json:"ms"`
	Error  string `json:"error,omitempty"`
}

// watch asks a URL ten times a second, for ever, whether or not the answer before has come: each time over a new
// connection, for a second at most. One line of JSON on stdout for each request, as it ends.
func watch(target string) {
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true, DialContext: (&net.Dialer{}).DialContext}}
	samples := make(chan sample)
	go func() {
		for range time.Tick(100 * time.Millisecond) {
			go func() { samples <- timed(&client, target) }()
		}
	}()
	lines := json.NewEncoder(os.Stdout)
	for each := range samples {
		lines.Encode(each)
	}
}

func timed(client *http.Client, target string) sample {
	begun := time.Now()
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	taken := sample{At: begun.UnixMilli()}
	if err := fetch(ctx, client, target); err != nil {
		taken.Error = err.Error()
		// Without the method and the URL, which are the same every time.
		if failed := new(url.Error); errors.As(err, &failed) {
			taken.Error = failed.Err.Error()
		}
	}
	taken.Millis = time.Since(begun).Milliseconds()
	return taken
}

func fetch(ctx context.Context, client *http.Client, target string) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, target, nil)
	if err != nil {
		return err
	}
	response, err := client.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if _, err := io.Copy(io.Discard, response.Body); err != nil {
		return err
	}
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("HTTP %s", response.Status)
	}
	return nil
}
