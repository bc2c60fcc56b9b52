// Unary calls by grpc-go: C connections with M calls outstanding on each, N in all. Prints one line of JSON with the processor
// time of this process.
//
//	grpcclient -c 1 -m 100 -n 100000 127.0.0.1:5001
package main

import (
	"context"
	"flag"
	"fmt"
	"log"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"

	pb "micro.test/bench/greeterpb"
)

func processorSeconds() float64 {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		log.Fatal(err)
	}
	seconds := func(t syscall.Timeval) float64 { return float64(t.Sec) + float64(t.Usec)/1e6 }
	return seconds(usage.Utime) + seconds(usage.Stime)
}

func main() {
	connections := flag.Int("c", 1, "connections")
	streams := flag.Int("m", 1, "calls outstanding on each")
	calls := flag.Int64("n", 10000, "calls in all")
	flag.Parse()
	var left atomic.Int64
	left.Store(*calls)
	begun, before := time.Now(), processorSeconds()
	var group sync.WaitGroup
	for range *connections {
		connection, err := grpc.NewClient(flag.Arg(0), grpc.WithTransportCredentials(insecure.NewCredentials()))
		if err != nil {
			log.Fatal(err)
		}
		client := pb.NewGreeterClient(connection)
		for range *streams {
			group.Add(1)
			go func() {
				defer group.Done()
				for left.Add(-1) >= 0 {
					ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
					reply, err := client.Hello(ctx, &pb.HelloRequest{Name: "John Smith"})
					cancel()
					if err != nil || reply.Message != "Hello John Smith" {
						log.Fatal("wrong answer: ", reply, err)
					}
				}
			}()
		}
	}
	group.Wait()
	fmt.Printf("{\"ok\": %d, \"seconds\": %.3f, \"cpu_seconds\": %.6f}\n", *calls, time.Since(begun).Seconds(), processorSeconds()-before)
}
