// probe answers questions about the network as it looks from inside one pod or one host.
// It serves HTTP on a port and echoes UDP on the next one. Called as `probe watch URL` it asks instead: see watch.go.
//
//	GET /whoami                    the address that the caller seems to have
//	GET /forwarded                 the address that a proxy says it asks for
//	GET /ask?q=[{...},{...}]       asks other probes, Services and names; answers in the same order
package main

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"
)

type question struct {
	Kind   string `json:"kind"`
	Target string `json:"target"`
	Expect string `json:"expect"`
	// The DNS server to ask, as host:port; the resolv.conf's own when empty.
	Server string `json:"server"`
	// The authority that an https server must be certified by, as PEM; the cluster's own when empty.
	CA      string `json:"ca"`
	Seconds int    `json:"seconds"`
}

type answer struct {
	OK     bool   `json:"ok"`
	Detail string `json:"detail"`
	Millis int64  `json:"ms"`
}

func main() {
	if len(os.Args) == 3 && os.Args[1] == "watch" {
		watch(os.Args[2])
	}
	port := 8080
	if len(os.Args) > 1 {
		fmt.Sscanf(os.Args[1], "%d", &port)
	}
	go echo("udp4", port+1)
	go echo("udp6", port+1)
	http.HandleFunc("/whoami", func(w http.ResponseWriter, r *http.Request) {
		caller, _, _ := net.SplitHostPort(r.RemoteAddr)
		fmt.Fprint(w, caller)
	})
	http.HandleFunc("/forwarded", func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprint(w, r.Header.Get("X-Forwarded-For"))
	})
	http.HandleFunc("/ask", ask)
	server := &http.Server{Addr: fmt.Sprintf(":%d", port), ReadHeaderTimeout: 5 * time.Second}
	fmt.Fprintln(os.Stderr, server.ListenAndServe())
	os.Exit(1)
}

func ask(w http.ResponseWriter, r *http.Request) {
	var questions []question
	if err := json.Unmarshal([]byte(r.URL.Query().Get("q")), &questions); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	answers := make([]answer, len(questions))
	var all sync.WaitGroup
	for i, q := range questions {
		all.Add(1)
		go func() {
			defer all.Done()
			answers[i] = patiently(q)
		}()
	}
	all.Wait()
	json.NewEncoder(w).Encode(answers)
}

// patiently asks again until the answer is good or the question's time is over: a Service's entry may be a moment late.
func patiently(q question) answer {
	begun := time.Now()
	patience := time.Duration(max(q.Seconds, 1)) * time.Second
	for {
		detail, err := once(q)
		took := time.Since(begun)
		if err == nil {
			return answer{OK: true, Detail: detail, Millis: took.Milliseconds()}
		}
		if took > patience {
			return answer{OK: false, Detail: err.Error(), Millis: took.Milliseconds()}
		}
		time.Sleep(200 * time.Millisecond)
	}
}

func once(q question) (string, error) {
	switch q.Kind {
	case "http":
		return get(q)
	case "name":
		return expected(resolverOf(q.Server).LookupHost, q)
	case "address":
		return expected(resolverOf(q.Server).LookupAddr, q)
	case "datagram":
		return datagram(q.Target)
	}
	return "", fmt.Errorf("no such kind of question: %s", q.Kind)
}

// get fetches a URL. What is expected is the body; nothing stands for anything.
func get(q question) (string, error) {
	roots := x509.NewCertPool()
	if q.CA != "" {
		roots.AppendCertsFromPEM([]byte(q.CA))
	} else if pem, err := os.ReadFile("/var/run/secrets/kubernetes.io/serviceaccount/ca.crt"); err == nil {
		roots.AppendCertsFromPEM(pem)
	}
	transport := &http.Transport{
		DisableKeepAlives:   true,
		TLSClientConfig:     &tls.Config{RootCAs: roots},
		TLSHandshakeTimeout: 3 * time.Second,
		DialContext:         (&net.Dialer{Timeout: 2 * time.Second, Resolver: resolverOf(q.Server)}).DialContext,
	}
	client := http.Client{Timeout: 5 * time.Second, Transport: transport}
	response, err := client.Get(q.Target)
	if err != nil {
		return "", err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(io.LimitReader(response.Body, 4096))
	if err != nil {
		return "", err
	}
	said := strings.TrimSpace(string(body))
	if response.StatusCode != http.StatusOK {
		return "", fmt.Errorf("%s: %s", response.Status, said)
	}
	if q.Expect != "" && said != q.Expect {
		return "", fmt.Errorf("answered %q, expected %q", said, q.Expect)
	}
	return said, nil
}

// resolverOf gives a resolver as a pod's own resolv.conf has it, or one that asks a server of our choice.
func resolverOf(server string) *net.Resolver {
	if server == "" {
		return net.DefaultResolver
	}
	return &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, network, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, network, server)
	}}
}

// expected looks a name or an address up, and compares what it leads to.
func expected(lookup func(context.Context, string) ([]string, error), q question) (string, error) {
	ctx, cancel := context.WithTimeout(context.Background(), 3*time.Second)
	defer cancel()
	all, err := lookup(ctx, q.Target)
	// The error names the server of the resolv.conf, whoever was asked.
	var failed *net.DNSError
	if q.Server != "" && errors.As(err, &failed) {
		failed.Server = q.Server
	}
	if err != nil {
		return "", err
	}
	// Of the addresses of a name in two families, either may come first.
	found := inOrder(all)
	if q.Expect != "" && found != inOrder(strings.Fields(q.Expect)) {
		return "", fmt.Errorf("leads to %s, expected %s", found, q.Expect)
	}
	return found, nil
}

func inOrder(words []string) string {
	sorted := slices.Sorted(slices.Values(words))
	return strings.Join(sorted, " ")
}

// datagram sends a full packet with "don't fragment" set and waits for the same packet back.
// 28 is the length of an IPv4 and a UDP header; that of IPv6 is 20 longer.
func datagram(target string) (string, error) {
	dialer := net.Dialer{Timeout: 2 * time.Second, Control: dontFragment}
	conn, err := dialer.Dial("udp", target)
	if err != nil {
		return "", err
	}
	defer conn.Close()
	mtu := mtuOf(conn.LocalAddr())
	headers := 28
	if conn.LocalAddr().(*net.UDPAddr).IP.To4() == nil {
		headers = 48
	}
	packet := bytes.Repeat([]byte("k"), mtu-headers)
	conn.SetDeadline(time.Now().Add(2 * time.Second))
	if _, err := conn.Write(packet); err != nil {
		return "", fmt.Errorf("a packet of %d bytes: %w", mtu, err)
	}
	back := make([]byte, 65536)
	n, err := conn.Read(back)
	if err != nil {
		return "", fmt.Errorf("a packet of %d bytes: %w", mtu, err)
	}
	if n != len(packet) {
		return "", fmt.Errorf("sent %d bytes, got %d back", len(packet), n)
	}
	return fmt.Sprintf("%d bytes", mtu), nil
}

// network is udp4 or udp6.
func dontFragment(network, _ string, raw syscall.RawConn) error {
	level, option, value := syscall.IPPROTO_IP, syscall.IP_MTU_DISCOVER, syscall.IP_PMTUDISC_DO
	if network == "udp6" {
		level, option, value = syscall.IPPROTO_IPV6, syscall.IPV6_MTU_DISCOVER, syscall.IPV6_PMTUDISC_DO
	}
	var failed error
	err := raw.Control(func(fd uintptr) {
		failed = syscall.SetsockoptInt(int(fd), level, option, value)
	})
	if err != nil {
		return err
	}
	return failed
}

// mtuOf gives the MTU of the interface that holds an address.
func mtuOf(local net.Addr) int {
	interfaces, _ := net.Interfaces()
	for _, each := range interfaces {
		addresses, _ := each.Addrs()
		for _, address := range addresses {
			if network, ok := address.(*net.IPNet); ok && network.IP.Equal(local.(*net.UDPAddr).IP) {
				return min(each.MTU, 65507)
			}
		}
	}
	return 1500
}

// echo sends what comes by UDP back. A kernel may have no IPv6.
func echo(network string, port int) {
	listen := net.ListenConfig{Control: dontFragment}
	conn, err := listen.ListenPacket(context.Background(), network, fmt.Sprintf(":%d", port))
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		if network == "udp4" {
			os.Exit(1)
		}
		return
	}
	packet := make([]byte, 65536)
	for {
		n, from, err := conn.ReadFrom(packet)
		if err == nil {
			conn.WriteTo(packet[:n], from)
		}
	}
}
