"""The part of seeds.py that is about registries: records, the forms they are kept in, and mDNS."""

import struct
import zlib


def dns_name(text):
    return b"".join(bytes([len(part)]) + part.encode() for part in text.split(".")) + b"\0"


def dns_record(name, kind, data, ttl=120):
    return dns_name(name) + struct.pack(">HHIH", kind, 1, ttl, len(data)) + data


def dns_message(*records, flags=0x8000, questions=()):
    head = struct.pack(">HHHHHH", 0, flags, len(questions), len(records), 0, 0)
    return head + b"".join(dns_name(each) + struct.pack(">HH", 12, 1) for each in questions) + b"".join(records)


MDNS_DOCUMENT = ('{"Metadata":{"protocol":"grpc"},"Service":"greeter","Version":"latest","Endpoints":[{"name":"Greeter.Hello","request":null,'
                 '"response":null,"metadata":{}}]}')
MDNS_NODE = "greeter-1.greeter.micro"
MDNS_TEXT = zlib.compress(MDNS_DOCUMENT.encode()).hex().encode()
MDNS_SRV = dns_record(MDNS_NODE, 33, struct.pack(">HHH", 10, 1, 80) + dns_name("box"))
MDNS_TXT = dns_record(MDNS_NODE, 16, b"".join(bytes([len(MDNS_TEXT[i:i + 255])]) + MDNS_TEXT[i:i + 255] for i in range(0, len(MDNS_TEXT), 255)))


def add(seeds):
    seeds("registry_record",
          greeter='{"name":"greeter","version":"1.0.0","metadata":{"owner":"a"},"endpoints":[{"name":"Greeter.Hello","request":{"name":"HelloRequest",'
          '"type":"HelloRequest","values":[{"name":"name","type":"string","values":null}]},"response":{"name":"HelloReply","type":"HelloReply",'
          '"values":[]},"metadata":{"path":"/greeter.Greeter/Hello"}}],"nodes":[{"id":"greeter-1","address":"10.0.0.7:8080","metadata":{"zone":"a"}}]}',
          least='{"name":"a","nodes":[]}', go_micro='{"name":"a","version":"latest","metadata":null,"endpoints":null,"nodes":null}',
          wrong='{"name":1,"nodes":{}}', deep='{"name":"a","endpoints":[{"name":"b","request":' + '{"name":"x","values":[' * 40)
    seeds("registry_layout",
          go_micro='/micro/registry/a/a-1\n{"name":"a","version":"latest","nodes":[{"id":"a-1","address":"10.0.0.7:80","metadata":null}]}',
          kratos='/microservices/a/1\n{"id":"1","name":"a","version":"v1","metadata":{"zone":"eu"},"endpoints":["http://10.0.0.7:80",'
          '"grpc://[::1]:90?isSecure=true"]}',
          go_zero="user.rpc/7587891\n10.0.0.7:80", goms="goms_user_127.0.0.1:9181_127.0.0.1:9081\n0",
          goms_later="goms_user_127.0.0.1:9081:9181\n0", garden="garden_user_127.0.0.1:9081:9181\n0", none="/config/x\n{}")
    seeds("mdns_message",
          question=dns_message(flags=0, questions=["greeter.micro"]),
          announcement=dns_message(MDNS_SRV, dns_record("box", 1, bytes([10, 1, 2, 3])), MDNS_TXT),
          listing=dns_message(dns_record("_services.micro", 12, dns_name("greeter._services.micro")), questions=["_services.micro"]),
          pointer=dns_message(flags=0, questions=["a"]) + b"\xc0\x0c", loop=struct.pack(">HHHHHH", 0, 0, 1, 0, 0, 0) + b"\xc0\x0c\0\1\0\1",
          six=dns_message(dns_record("box", 28, bytes(16)), dns_record("x", 41, b"opt", ttl=0)))
    seeds("mdns_record",
          greeter="greeter-1\n" + MDNS_DOCUMENT, nil='a\n{"Metadata":null,"Service":"greeter","Version":"","Endpoints":null}',
          ours='x\n{"Service":"greeter","Id":"grün 1","ServiceMetadata":{"a":"b"}}', wrong='x\n{"Service":"other"}', digits="x\n789c030000000001")
