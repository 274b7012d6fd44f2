// SPDX-License-Identifier: Apache-2.0

// The workloads of bench/workloads.c on the X-Ray SDK for Go.
//
//	workloads NAME RULES
//
// NAME is W1 to W6, RULES the file with the sampling rules of W5. Documents go to
// AWS_XRAY_DAEMON_ADDRESS. Prints one JSON line with the nanoseconds of an
// operation in each of seven runs.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"runtime"
	"time"

	"github.com/aws/aws-xray-sdk-go/v2/header"
	"github.com/aws/aws-xray-sdk-go/v2/strategy/sampling"
	"github.com/aws/aws-xray-sdk-go/v2/xray"
	"github.com/aws/aws-xray-sdk-go/v2/xraylog"
)

const (
	runs  = 7
	width = 10000 // subsegments of W6
)

type always bool

func (decision always) ShouldTrace(*sampling.Request) *sampling.Decision {
	return &sampling.Decision{Sample: bool(decision)}
}

func oneSubsegment() {
	ctx, segment := xray.BeginSegment(context.Background(), "checkout-api")
	_, work := xray.BeginSubsegment(ctx, "work")
	work.AddAnnotation("customer", "c-12345")
	work.Close(nil)
	segment.Close(nil)
}

func small() {
	ctx, segment := xray.BeginSegment(context.Background(), "checkout-api")
	_, work := xray.BeginSubsegment(ctx, "work")
	work.AddAnnotation("customer", "c-12345")
	work.AddAnnotation("tier", "gold")
	work.AddMetadata("note", "hello metadata")
	work.Close(nil)
	segment.Close(nil)
}

func callTable(ctx context.Context) {
	_, call := xray.BeginSubsegment(ctx, "DynamoDB")
	call.Lock()
	call.Namespace = "aws"
	aws := call.GetAWS()
	aws["operation"] = "GetItem"
	aws["table_name"] = "orders"
	aws["region"] = "us-east-1"
	aws["request_id"] = "3AIENM5J4ELQ3SPODHKBIRVIC3VV4KQNSO5AEMVJF66Q9ASUAAJG"
	call.GetHTTP().GetResponse().Status = 200
	call.Unlock()
	call.Close(nil)
}

func callService(ctx context.Context) {
	_, call := xray.BeginSubsegment(ctx, "payments.example.com")
	call.Lock()
	call.Namespace = "remote"
	request := call.GetHTTP().GetRequest()
	request.Method = "GET"
	request.URL = "https://payments.example.com/v1/charge"
	response := call.GetHTTP().GetResponse()
	response.Status = 200
	response.ContentLength = 128
	call.Unlock()
	call.Close(nil)
}

func typical() {
	ctx, segment := xray.BeginSegment(context.Background(), "checkout-api")
	segment.Lock()
	request := segment.GetHTTP().GetRequest()
	request.Method = "POST"
	request.URL = "https://api.example.com/orders/1234/items"
	request.UserAgent = "Mozilla/5.0 (X11; Linux x86_64)"
	request.ClientIP = "203.0.113.7"
	response := segment.GetHTTP().GetResponse()
	response.Status = 200
	response.ContentLength = 512
	segment.Unlock()
	segment.AddAnnotation("customer", "c-12345")
	segment.AddAnnotation("items", 42)
	segment.AddAnnotation("premium", true)
	for i := 0; i < 3; i++ {
		callTable(ctx)
	}
	for i := 0; i < 2; i++ {
		callService(ctx)
	}
	segment.Close(nil)
}

var used int // what is computed for nothing could be left out

func traceHeader() {
	const text = "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1"
	used += len(header.FromString(text).String())
}

func decisionBy(rules string) (func(), error) {
	text, err := os.ReadFile(rules)
	if err != nil {
		return nil, err
	}
	strategy, err := sampling.NewLocalizedStrategyFromJSONBytes(text)
	if err != nil {
		return nil, err
	}
	request := &sampling.Request{Host: "shop.example.com", Method: "POST", URL: "/orders/1234/items"}
	return func() {
		if strategy.ShouldTrace(request).Sample {
			used++
		}
	}, nil
}

func wide() {
	ctx, segment := xray.BeginSegment(context.Background(), "wide")
	for i := 0; i < width; i++ {
		_, work := xray.BeginSubsegment(ctx, "work")
		work.AddAnnotation("i", i)
		work.Close(nil)
	}
	segment.Close(nil)
}

type workload struct {
	run        func()
	repeats    int // in each run
	operations int // in each repeat
	segments   int // sent in each repeat
}

func find(name, rules string) (workload, error) {
	decision, err := decisionBy(rules)
	if err != nil {
		return workload{}, err
	}
	found, known := map[string]workload{
		"W1": {oneSubsegment, 200000, 1, 0},
		"W2": {small, 30000, 1, 1},
		"W3": {typical, 10000, 1, 1},
		"W4": {traceHeader, 500000, 1, 0},
		"W5": {decision, 200000, 1, 0},
		"W6": {wide, 1, width, 1},
	}[name]
	if !known {
		return found, fmt.Errorf("there is no workload %q: W1 to W6", name)
	}
	return found, nil
}

func measure(name, rules string) error {
	chosen, err := find(name, rules)
	if err != nil {
		return err
	}
	xray.SetLogger(xraylog.NewDefaultLogger(os.Stderr, xraylog.LogLevelError))
	if err := xray.Configure(xray.Config{SamplingStrategy: always(name != "W1")}); err != nil {
		return err
	}
	warm := chosen.repeats/4 + 1
	for i := 0; i < warm; i++ {
		chosen.run()
	}
	var ns [runs]float64
	for run := range ns {
		start := time.Now()
		for i := 0; i < chosen.repeats; i++ {
			chosen.run()
		}
		ns[run] = float64(time.Since(start)) / float64(chosen.repeats*chosen.operations)
	}
	return json.NewEncoder(os.Stdout).Encode(map[string]any{
		"ns":       ns,
		"segments": (warm + runs*chosen.repeats) * chosen.segments,
		"sdk":      xray.SDKVersion,
		"runtime":  runtime.Version(),
	})
}

func main() {
	if len(os.Args) != 3 {
		fmt.Fprintln(os.Stderr, "Usage: workloads NAME RULES")
		os.Exit(2)
	}
	if err := measure(os.Args[1], os.Args[2]); err != nil {
		fmt.Fprintln(os.Stderr, "workloads:", err)
		os.Exit(1)
	}
}
