// SPDX-License-Identifier: Apache-2.0

// cri METHOD <REQUEST: one call of the Kubernetes container runtime interface. The request
// is JSON on the standard input, with the field names of the protocol ("pod_sandbox_id");
// the answer is JSON on the standard output. ImageService's methods are called alike.
//
//	CONTAINER_RUNTIME_ENDPOINT=unix:///run/containerd/containerd.sock cri Version </dev/null
//
// Built into the image by `build` beside this file, from Debian's golang packages.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"reflect"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	cri "k8s.io/cri-api/pkg/apis/runtime/v1"
)

func fail(err error) {
	fmt.Fprintln(os.Stderr, "cri:", err)
	os.Exit(1)
}

func main() {
	if len(os.Args) != 2 {
		fail(fmt.Errorf("usage: cri METHOD <REQUEST"))
	}
	endpoint := os.Getenv("CONTAINER_RUNTIME_ENDPOINT")
	if endpoint == "" {
		endpoint = "unix:///run/containerd/containerd.sock"
	}
	conn, err := grpc.NewClient(endpoint, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		fail(err)
	}
	method := reflect.ValueOf(cri.NewRuntimeServiceClient(conn)).MethodByName(os.Args[1])
	if !method.IsValid() {
		method = reflect.ValueOf(cri.NewImageServiceClient(conn)).MethodByName(os.Args[1])
	}
	if !method.IsValid() {
		fail(fmt.Errorf("no method '%s'", os.Args[1]))
	}
	request := reflect.New(method.Type().In(1).Elem())
	text, err := io.ReadAll(os.Stdin)
	if err != nil {
		fail(err)
	}
	if len(text) > 0 {
		if err := json.Unmarshal(text, request.Interface()); err != nil {
			fail(err)
		}
	}
	ctx, cancel := context.WithTimeout(context.Background(), 3*time.Minute)
	defer cancel()
	result := method.Call([]reflect.Value{reflect.ValueOf(ctx), request})
	if err, bad := result[1].Interface().(error); bad {
		fail(err)
	}
	out, err := json.Marshal(result[0].Interface())
	if err != nil {
		fail(err)
	}
	fmt.Println(string(out))
}
