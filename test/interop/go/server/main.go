// The greeter by grpc-go: server HOST:PORT. Says "listening on HOST:PORT" once it does.
package main

import (
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	_ "google.golang.org/grpc/encoding/gzip"
	"google.golang.org/grpc/health"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/keepalive"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	pb "micro.test/interop/greeterpb"
)

type greeter struct {
	pb.UnimplementedGreeterServer
}

// Whatever is called "x-echo-..." goes back, in the headers and in the trailers.
func (greeter) Hello(ctx context.Context, request *pb.HelloRequest) (*pb.HelloReply, error) {
	echo := metadata.MD{}
	incoming, _ := metadata.FromIncomingContext(ctx)
	for key, values := range incoming {
		if strings.HasPrefix(key, "x-echo-") {
			echo[key] = values
		}
	}
	if err := grpc.SetHeader(ctx, echo); err != nil {
		return nil, err
	}
	if err := grpc.SetTrailer(ctx, echo); err != nil {
		return nil, err
	}
	if request.Name == "" {
		return nil, status.Error(codes.InvalidArgument, "field name: 0 % of a name, naïve ☃")
	}
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
			return stream.SendAndClose(reply)
		}
		if err != nil {
			return err
		}
		reply.Names = append(reply.Names, request.Name)
		reply.Count++
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
		fmt.Fprintln(os.Stderr, "usage: server HOST:PORT")
		os.Exit(2)
	}
	listener, err := net.Listen("tcp", os.Args[1])
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	// Clients under test ping far more often than the five minutes that are allowed by default.
	server := grpc.NewServer(grpc.KeepaliveEnforcementPolicy(keepalive.EnforcementPolicy{
		MinTime: 10 * time.Millisecond, PermitWithoutStream: true}))
	pb.RegisterGreeterServer(server, greeter{})
	states := health.NewServer()
	states.SetServingStatus("greeter.Greeter", healthpb.HealthCheckResponse_SERVING)
	healthpb.RegisterHealthServer(server, states)
	fmt.Println("listening on", listener.Addr())
	if err := server.Serve(listener); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
