// Load on a go-micro service by go-micro's own client with everything at its default but the address, which is given: no other
// load generator speaks its RPC. Prints one line of JSON.
//
//	gomicroclient -c 1 -n 10000 127.0.0.1:5001
package main

import (
	"context"
	"flag"
	"fmt"
	"log"
	"sync"
	"sync/atomic"
	"time"

	"go-micro.dev/v5/client"

	pb "micro.test/bench/greeterpb"
)

func main() {
	parallel := flag.Int("c", 1, "calls outstanding")
	calls := flag.Int64("n", 10000, "calls in all")
	flag.Parse()
	address := flag.Arg(0)
	caller := client.NewClient(client.PoolSize(*parallel), client.ContentType("application/protobuf"))
	var left atomic.Int64
	left.Store(*calls)
	begun := time.Now()
	var group sync.WaitGroup
	for range *parallel {
		group.Add(1)
		go func() {
			defer group.Done()
			for left.Add(-1) >= 0 {
				var reply pb.HelloReply
				request := caller.NewRequest("greeter", "Greeter.Hello", &pb.HelloRequest{Name: "John Smith"})
				if err := caller.Call(context.Background(), request, &reply, client.WithAddress(address)); err != nil {
					log.Fatal(err)
				}
				if reply.Message != "Hello John Smith" {
					log.Fatal("wrong answer: ", reply.Message)
				}
			}
		}()
	}
	group.Wait()
	fmt.Printf("{\"ok\": %d, \"seconds\": %.3f}\n", *calls, time.Since(begun).Seconds())
}
