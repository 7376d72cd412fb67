//go:build tools

// Package tools names the commands that kbs builds with the versions of this module file.
package tools

import (
	_ "sigs.k8s.io/metrics-server/cmd/metrics-server"
)
