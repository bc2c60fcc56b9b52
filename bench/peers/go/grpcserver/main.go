// The greeter written with grpc-go, default options.
//
//	grpcserver 127.0.0.1:5001
package main

import (
	"context"
	"io"
	"log"
	"net"
	"os"

	"google.golang.org/grpc"

	pb "micro.test/bench/greeterpb"
)

type greeter struct {
	pb.UnimplementedGreeterServer
}

func (greeter) Hello(_ context.Context, request *pb.HelloRequest) (*pb.HelloReply, error) {
	return &pb.HelloReply{Message: "Hello " + request.Name}, nil
}

func (greeter) Countdown(request *pb.CountdownRequest, stream grpc.ServerStreamingServer[pb.CountdownReply]) error {
	for value := request.From; value >= 0; value-- {
		if err := stream.Send(&pb.CountdownReply{Value: value}); err != nil {
			return err
		}
	}
	return nil
}

func (greeter) Collect(stream grpc.ClientStreamingServer[pb.HelloRequest, pb.CollectReply]) error {
	reply := &pb.CollectReply{}
	for {
		request, err := stream.Recv()
		if err == io.EOF {
			reply.Count = int32(len(reply.Names))
			return stream.SendAndClose(reply)
		}
		if err != nil {
			return err
		}
		reply.Names = append(reply.Names, request.Name)
	}
}

func (greeter) Chat(stream grpc.BidiStreamingServer[pb.ChatMessage, pb.ChatMessage]) error {
	for {
		message, err := stream.Recv()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		if err := stream.Send(&pb.ChatMessage{Text: "you said: " + message.Text}); err != nil {
			return err
		}
	}
}

func main() {
	if len(os.Args) != 2 {
		log.Fatal("usage: grpcserver IPV4:PORT")
	}
	listener, err := net.Listen("tcp", os.Args[1])
	if err != nil {
		log.Fatal(err)
	}
	server := grpc.NewServer()
	pb.RegisterGreeterServer(server, greeter{})
	log.Fatal(server.Serve(listener))
}
