//go:build tools

// Names the program that run.py builds, so that go.mod and go.sum hold what it needs.
package conformance

import _ "google.golang.org/grpc/interop/client"
