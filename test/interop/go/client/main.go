// Calls a greeter server with grpc-go: client HOST:PORT [CHECK...]. Prints one line a check; ends with 1 when one has failed.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"sync"
	"time"

	"golang.org/x/net/http2"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/encoding/gzip"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	pb "micro.test/interop/greeterpb"
)

const (
	endless  = 1 << 30 // a countdown that nobody waits for
	mebibyte = 1 << 20
)

type checker struct {
	address    string
	connection *grpc.ClientConn
	greeter    pb.GreeterClient
}

func expect(ok bool, format string, arguments ...any) error {
	if ok {
		return nil
	}
	return fmt.Errorf(format, arguments...)
}

func expectCode(err error, want codes.Code) error {
	return expect(status.Code(err) == want, "expected %v, got: %v", want, err)
}

func (c *checker) greet(ctx context.Context, name string, options ...grpc.CallOption) error {
	reply, err := c.greeter.Hello(ctx, &pb.HelloRequest{Name: name}, options...)
	if err != nil {
		return err
	}
	return expect(reply.Message == "Hello "+name, "a name of %d bytes came back as a greeting of %d", len(name), len(reply.Message))
}

func (c *checker) hello(ctx context.Context) error { return c.greet(ctx, "Jürgen 😀") }

func (c *checker) metadata(ctx context.Context) error {
	ctx = metadata.AppendToOutgoingContext(ctx, "x-echo-text", "one", "x-echo-text", "two", "x-echo-data-bin", "\x00\xff\x7f\x80, x")
	var header, trailer metadata.MD
	if err := c.greet(ctx, "John", grpc.Header(&header), grpc.Trailer(&trailer)); err != nil {
		return err
	}
	for name, md := range map[string]metadata.MD{"headers": header, "trailers": trailer} {
		// A list may travel as one value (RFC 9110, section 5.3).
		if text := strings.Join(md.Get("x-echo-text"), ", "); text != "one, two" {
			return fmt.Errorf("%s: x-echo-text is %q", name, text)
		}
		if data := strings.Join(md.Get("x-echo-data-bin"), "|"); data != "\x00\xff\x7f\x80, x" {
			return fmt.Errorf("%s: x-echo-data-bin is %q", name, data)
		}
	}
	return nil
}

func (c *checker) invalidArgument(ctx context.Context) error {
	_, err := c.greeter.Hello(ctx, &pb.HelloRequest{})
	if err := expectCode(err, codes.InvalidArgument); err != nil {
		return err
	}
	return expect(strings.Contains(status.Convert(err).Message(), "name"), "message: %q", status.Convert(err).Message())
}

func (c *checker) unknown(ctx context.Context, method string) error {
	err := c.connection.Invoke(ctx, method, &pb.HelloRequest{Name: "John"}, &pb.HelloReply{})
	return expectCode(err, codes.Unimplemented)
}

func (c *checker) unknownMethod(ctx context.Context) error {
	return c.unknown(ctx, "/greeter.Greeter/Nope")
}
func (c *checker) unknownService(ctx context.Context) error {
	return c.unknown(ctx, "/greeter.Nobody/Hello")
}

func (c *checker) serverStream(ctx context.Context) error {
	stream, err := c.greeter.Countdown(ctx, &pb.CountdownRequest{From: 999})
	if err != nil {
		return err
	}
	for want := int32(999); want >= 0; want-- {
		reply, err := stream.Recv()
		if err != nil {
			return fmt.Errorf("waiting for %d: %w", want, err)
		}
		if reply.Value != want {
			return fmt.Errorf("expected %d, got %d", want, reply.Value)
		}
	}
	_, err = stream.Recv()
	return expect(err == io.EOF, "behind the last number: %v", err)
}

func (c *checker) clientStream(ctx context.Context) error {
	stream, err := c.greeter.Collect(ctx)
	if err != nil {
		return err
	}
	for i := range 100 {
		if err := stream.Send(&pb.HelloRequest{Name: fmt.Sprint("name ", i)}); err != nil {
			return err
		}
	}
	reply, err := stream.CloseAndRecv()
	if err != nil {
		return err
	}
	if reply.Count != 100 || len(reply.Names) != 100 {
		return fmt.Errorf("count %d, %d names", reply.Count, len(reply.Names))
	}
	for i, name := range reply.Names {
		if name != fmt.Sprint("name ", i) {
			return fmt.Errorf("name %d is %q", i, name)
		}
	}
	return nil
}

func say(stream pb.Greeter_ChatClient, text string) error {
	if err := stream.Send(&pb.ChatMessage{Text: text}); err != nil {
		return err
	}
	reply, err := stream.Recv()
	if err != nil {
		return err
	}
	return expect(reply.Text == "you said: "+text, "said %.20q, heard %.20q", text, reply.Text)
}

func (c *checker) chat(ctx context.Context, lines int, pause time.Duration, padding string) error {
	stream, err := c.greeter.Chat(ctx)
	if err != nil {
		return err
	}
	for i := range lines {
		if err := say(stream, fmt.Sprint("line ", i, padding)); err != nil {
			return err
		}
		time.Sleep(pause)
	}
	if err := stream.CloseSend(); err != nil {
		return err
	}
	_, err = stream.Recv()
	return expect(err == io.EOF, "behind the last line: %v", err)
}

func (c *checker) bidi(ctx context.Context) error { return c.chat(ctx, 100, 0, "") }

func (c *checker) deadline(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, 200*time.Millisecond)
	defer cancel()
	stream, err := c.greeter.Countdown(ctx, &pb.CountdownRequest{From: endless})
	for err == nil {
		_, err = stream.Recv()
	}
	return expectCode(err, codes.DeadlineExceeded)
}

func (c *checker) cancel(ctx context.Context) error {
	cancelled, cancel := context.WithCancel(ctx)
	defer cancel()
	stream, err := c.greeter.Countdown(cancelled, &pb.CountdownRequest{From: endless})
	if err != nil {
		return err
	}
	for range 10 {
		if _, err := stream.Recv(); err != nil {
			return err
		}
	}
	cancel()
	for err == nil {
		_, err = stream.Recv()
	}
	if err := expectCode(err, codes.Canceled); err != nil {
		return err
	}
	return c.greet(ctx, "John")
}

func (c *checker) large(ctx context.Context) error {
	return c.greet(ctx, strings.Repeat("x", mebibyte))
}

func (c *checker) largeStream(ctx context.Context) error {
	return c.chat(ctx, 2, 0, strings.Repeat("x", 2*mebibyte))
}

func (c *checker) tooLarge(ctx context.Context) error {
	if err := expectCode(c.greet(ctx, strings.Repeat("x", 5*mebibyte)), codes.ResourceExhausted); err != nil {
		return err
	}
	return c.greet(ctx, "John")
}

// The request is just below 4 MiB, the reply just above it: our own limit.
func (c *checker) tooLargeReply(ctx context.Context) error {
	if err := expectCode(c.greet(ctx, strings.Repeat("x", 4*mebibyte-6)), codes.ResourceExhausted); err != nil {
		return err
	}
	return c.greet(ctx, "John")
}

func (c *checker) gzip(ctx context.Context) error {
	return c.greet(ctx, strings.Repeat("compressible ", 10000), grpc.UseCompressor(gzip.Name))
}

func (c *checker) concurrent(ctx context.Context) error {
	failed := make([]error, 50)
	var calls sync.WaitGroup
	for i := range failed {
		calls.Add(1)
		go func() {
			defer calls.Done()
			failed[i] = c.greet(ctx, fmt.Sprint("caller ", i))
		}()
	}
	calls.Wait()
	return errors.Join(failed...)
}

// grpc-go sends keepalive pings every 10 s at most; its HTTP/2 library sends them at once.
func (c *checker) keepalive(ctx context.Context) error {
	connection, err := net.Dial("tcp", c.address)
	if err != nil {
		return err
	}
	http, err := (&http2.Transport{AllowHTTP: true}).NewClientConn(connection)
	if err != nil {
		return err
	}
	defer http.Close()
	for range 3 {
		if err := http.Ping(ctx); err != nil {
			return err
		}
	}
	return c.chat(ctx, 3, 100*time.Millisecond, "")
}

func (c *checker) health(ctx context.Context) error {
	health := healthpb.NewHealthClient(c.connection)
	for _, service := range []string{"", "greeter.Greeter"} {
		reply, err := health.Check(ctx, &healthpb.HealthCheckRequest{Service: service})
		if err != nil {
			return fmt.Errorf("service %q: %w", service, err)
		}
		if reply.Status != healthpb.HealthCheckResponse_SERVING {
			return fmt.Errorf("service %q: %v", service, reply.Status)
		}
	}
	_, err := health.Check(ctx, &healthpb.HealthCheckRequest{Service: "nobody"})
	if err := expectCode(err, codes.NotFound); err != nil {
		return err
	}
	watch, err := health.Watch(ctx, &healthpb.HealthCheckRequest{Service: "greeter.Greeter"})
	if err != nil {
		return err
	}
	reply, err := watch.Recv()
	if err != nil {
		return err
	}
	return expect(reply.Status == healthpb.HealthCheckResponse_SERVING, "watch: %v", reply.Status)
}

func main() {
	if len(os.Args) < 2 {
		fmt.Fprintln(os.Stderr, "usage: client HOST:PORT [CHECK...]")
		os.Exit(2)
	}
	connection, err := grpc.NewClient("passthrough:///"+os.Args[1], grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithNoProxy(), grpc.WithDefaultCallOptions(grpc.MaxCallSendMsgSize(64*mebibyte)))
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(2)
	}
	c := &checker{os.Args[1], connection, pb.NewGreeterClient(connection)}
	checks := []struct {
		name string
		run  func(context.Context) error
	}{
		{"hello", c.hello}, {"metadata", c.metadata}, {"invalid_argument", c.invalidArgument}, {"unknown_method", c.unknownMethod},
		{"unknown_service", c.unknownService}, {"server_stream", c.serverStream}, {"client_stream", c.clientStream}, {"bidi", c.bidi},
		{"deadline", c.deadline}, {"cancel", c.cancel}, {"large", c.large}, {"large_stream", c.largeStream},
		{"too_large", c.tooLarge},
		{"too_large_reply", c.tooLargeReply}, {"gzip", c.gzip}, {"concurrent", c.concurrent}, {"keepalive", c.keepalive},
		{"health", c.health},
	}
	wanted := " " + strings.Join(os.Args[2:], " ") + " "
	result := 0
	for _, check := range checks {
		if len(os.Args) > 2 && !strings.Contains(wanted, " "+check.name+" ") {
			continue
		}
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		if err := check.run(ctx); err != nil {
			fmt.Printf("%s: failed: %q\n", check.name, err.Error())
			result = 1
		} else {
			fmt.Printf("%s: ok\n", check.name)
		}
		cancel()
	}
	os.Exit(result)
}
