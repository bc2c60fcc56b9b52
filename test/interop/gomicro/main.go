// A greeter of go-micro, and a client of one: gomicro server | gomicro client HOST:PORT. The client prints one line a check and ends
// with 1 when one has failed. Built once for each major version; the driver puts its number into the imports.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"go-micro.dev/v4"
	"go-micro.dev/v4/client"
	microerrors "go-micro.dev/v4/errors"
	"go-micro.dev/v4/metadata"
	"go-micro.dev/v4/registry"
	"go-micro.dev/v4/server"
	"google.golang.org/protobuf/types/known/wrapperspb"
)

type HelloRequest struct {
	Name string `json:"name"`
}

type HelloReply struct {
	Message string `json:"message"`
}

type CountdownRequest struct {
	From int32 `json:"from"`
}

type CountdownReply struct {
	Value int32 `json:"value"`
}

type ChatMessage struct {
	Text string `json:"text"`
}

type Greeter struct{}

func (*Greeter) Hello(ctx context.Context, request *HelloRequest, reply *HelloReply) error {
	if request.Name == "" {
		return microerrors.BadRequest("greeter.hello", "field name: expected somebody to greet")
	}
	if request.Name == "metadata" {
		value, _ := metadata.Get(ctx, "X-Said")
		request.Name = value
	}
	if request.Name == "deadline" {
		<-ctx.Done()
		return microerrors.Timeout("greeter.hello", "too late")
	}
	reply.Message = "Hello " + request.Name
	return nil
}

func (*Greeter) Countdown(ctx context.Context, stream server.Stream) error {
	var request CountdownRequest
	if err := stream.Recv(&request); err != nil {
		return err
	}
	for value := request.From; value >= 0; value-- {
		if err := stream.Send(&CountdownReply{Value: value}); err != nil {
			return err
		}
		// go-micro's server writes its messages from one buffer: one that is sent too soon after another is sent in its place.
		time.Sleep(20 * time.Millisecond)
	}
	return nil
}

func (*Greeter) Chat(ctx context.Context, stream server.Stream) error {
	for {
		var message ChatMessage
		if err := stream.Recv(&message); err != nil {
			return nil
		}
		message.Text = "you said: " + message.Text
		if err := stream.Send(&message); err != nil {
			return err
		}
	}
}

func serve() error {
	service := micro.NewService(micro.Name("greeter"), micro.Address("127.0.0.1:0"), micro.Registry(registry.NewMemoryRegistry()))
	if err := service.Server().Handle(service.Server().NewHandler(&Greeter{})); err != nil {
		return err
	}
	if err := service.Server().Start(); err != nil {
		return err
	}
	fmt.Printf("listening on %s\n", service.Server().Options().Address)
	select {}
}

type checker struct {
	client  client.Client
	address string
}

func (c *checker) call(ctx context.Context, method string, request, reply any, options ...client.CallOption) error {
	options = append(options, client.WithAddress(c.address))
	return c.client.Call(ctx, c.client.NewRequest("greeter", method, request), reply, options...)
}

func expectHello(c *checker, ctx context.Context, name, wanted string) error {
	var reply HelloReply
	if err := c.call(ctx, "Greeter.Hello", &HelloRequest{Name: name}, &reply); err != nil {
		return err
	}
	if reply.Message != wanted {
		return fmt.Errorf("got %q, not %q", reply.Message, wanted)
	}
	return nil
}

func expectCode(err error, code int32, words string) error {
	if err == nil {
		return errors.New("it should have failed")
	}
	if found := microerrors.FromError(err); found.Code != code || !strings.Contains(found.Detail, words) {
		return fmt.Errorf("got %v, not code %d with %q", err, code, words)
	}
	return nil
}

var checks = []struct {
	name string
	run  func(*checker) error
}{
	{"hello", func(c *checker) error { return expectHello(c, context.Background(), "John", "Hello John") }},
	{"many", func(c *checker) error {
		for i := 0; i < 200; i++ {
			name := fmt.Sprint("John ", i)
			if err := expectHello(c, context.Background(), name, "Hello "+name); err != nil {
				return err
			}
		}
		return nil
	}},
	{"large", func(c *checker) error {
		name := strings.Repeat("x", 1<<20)
		return expectHello(c, context.Background(), name, "Hello "+name)
	}},
	{"protobuf", func(c *checker) error {
		// The messages of the greeter have one string in their first field, as this one has.
		request, reply := wrapperspb.String("John"), &wrapperspb.StringValue{}
		wanted := c.client.NewRequest("greeter", "Greeter.Hello", request, client.WithContentType("application/protobuf"))
		if err := c.client.Call(context.Background(), wanted, reply, client.WithAddress(c.address)); err != nil {
			return err
		}
		if reply.Value != "Hello John" {
			return fmt.Errorf("got %q", reply.Value)
		}
		return nil
	}},
	{"invalid_argument", func(c *checker) error {
		return expectCode(c.call(context.Background(), "Greeter.Hello", &HelloRequest{}, &HelloReply{}), 400, "somebody to greet")
	}},
	{"unknown_method", func(c *checker) error {
		err := c.call(context.Background(), "Greeter.Nothing", &HelloRequest{}, &HelloReply{})
		if err == nil || !strings.Contains(err.Error(), "Nothing") {
			return fmt.Errorf("got %v", err)
		}
		return nil
	}},
	{"server_stream", func(c *checker) error {
		request := c.client.NewRequest("greeter", "Greeter.Countdown", &CountdownRequest{})
		stream, err := c.client.Stream(context.Background(), request, client.WithAddress(c.address))
		if err != nil {
			return err
		}
		defer stream.Close()
		if err := stream.Send(&CountdownRequest{From: 5}); err != nil {
			return err
		}
		for wanted := int32(5); wanted >= 0; wanted-- {
			var reply CountdownReply
			if err := stream.Recv(&reply); err != nil {
				return err
			}
			if reply.Value != wanted {
				return fmt.Errorf("got %d, not %d", reply.Value, wanted)
			}
		}
		var more CountdownReply
		if err := stream.Recv(&more); err == nil {
			return fmt.Errorf("got %d behind the end", more.Value)
		}
		return nil
	}},
	{"bidi", func(c *checker) error {
		request := c.client.NewRequest("greeter", "Greeter.Chat", &ChatMessage{})
		stream, err := c.client.Stream(context.Background(), request, client.WithAddress(c.address))
		if err != nil {
			return err
		}
		defer stream.Close()
		for _, text := range []string{"one", "two", "three"} {
			if err := stream.Send(&ChatMessage{Text: text}); err != nil {
				return err
			}
			var reply ChatMessage
			if err := stream.Recv(&reply); err != nil {
				return err
			}
			if reply.Text != "you said: "+text {
				return fmt.Errorf("got %q", reply.Text)
			}
		}
		return nil
	}},
}

func check(address string) error {
	c := &checker{client.NewClient(client.Registry(registry.NewMemoryRegistry()), client.ContentType("application/json")), address}
	failed := false
	for _, each := range checks {
		verdict := "ok"
		if err := each.run(c); err != nil {
			verdict = "failed: " + err.Error()
			failed = true
		}
		fmt.Printf("%s: %s\n", each.name, verdict)
	}
	if failed {
		os.Exit(1)
	}
	return nil
}

func main() {
	var err error
	switch {
	case len(os.Args) == 2 && os.Args[1] == "server":
		err = serve()
	case len(os.Args) == 3 && os.Args[1] == "client":
		err = check(os.Args[2])
	default:
		err = errors.New("usage: gomicro server | gomicro client HOST:PORT")
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "gomicro:", err)
		os.Exit(2)
	}
}
