// The greeter as Go's net/http and encoding/json would have it: POST /greeter.Greeter/Hello, JSON both ways.
//
//	nethttp 127.0.0.1:5001
package main

import (
	"encoding/json"
	"log"
	"net/http"
	"os"
)

type request struct {
	Name string `json:"name"`
}

type reply struct {
	Message string `json:"message"`
}

func hello(writer http.ResponseWriter, r *http.Request) {
	var in request
	if err := json.NewDecoder(r.Body).Decode(&in); err != nil {
		http.Error(writer, err.Error(), http.StatusBadRequest)
		return
	}
	body, err := json.Marshal(reply{Message: "Hello " + in.Name})
	if err != nil {
		http.Error(writer, err.Error(), http.StatusInternalServerError)
		return
	}
	writer.Header().Set("Content-Type", "application/json")
	writer.Write(body)
}

func main() {
	if len(os.Args) != 2 {
		log.Fatal("usage: nethttp IPV4:PORT")
	}
	http.HandleFunc("POST /greeter.Greeter/Hello", hello)
	log.Fatal(http.ListenAndServe(os.Args[1], nil))
}
