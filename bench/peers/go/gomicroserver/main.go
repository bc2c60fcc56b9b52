// The greeter as a go-micro service with everything at its default: its own RPC over its HTTP transport.
//
//	gomicroserver 127.0.0.1:5001
package main

import (
	"context"
	"log"
	"os"

	"go-micro.dev/v5"
	"go-micro.dev/v5/registry"
	"go-micro.dev/v5/server"

	pb "micro.test/bench/greeterpb"
)

type Greeter struct{}

func (*Greeter) Hello(_ context.Context, request *pb.HelloRequest, reply *pb.HelloReply) error {
	reply.Message = "Hello " + request.Name
	return nil
}

func main() {
	if len(os.Args) != 2 {
		log.Fatal("usage: gomicroserver IPV4:PORT")
	}
	address := os.Args[1]
	os.Args = os.Args[:1]
	service := micro.NewService(micro.Name("greeter"), micro.Address(address), micro.Registry(registry.NewMemoryRegistry()))
	if err := service.Server().Handle(server.NewHandler(&Greeter{})); err != nil {
		log.Fatal(err)
	}
	log.Fatal(service.Run())
}
