//go:build tools

// Package tools names the commands that kbs builds with the versions of this module file.
package tools

import (
	_ "go.universe.tf/metallb/controller"
	_ "go.universe.tf/metallb/speaker"
)
