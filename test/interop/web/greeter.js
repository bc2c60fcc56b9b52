// Calls `greeter` as browsers do, with connect's gRPC-Web and with ws: greeter.js DESCRIPTORS HOST:PORT [CHECK...]. Prints one line a
// check; ends with 1 when one has failed.
'use strict';
const assert = require('assert');
const fs = require('fs');
const { createFileRegistry, fromBinary, toBinary, create } = require('@bufbuild/protobuf');
const { FileDescriptorSetSchema } = require('@bufbuild/protobuf/wkt');
const { createClient, Code, ConnectError } = require('@connectrpc/connect');
const { createGrpcWebTransport } = require('@connectrpc/connect-node');
const { WebSocket } = require('ws');

const [descriptors, address, ...wanted] = process.argv.slice(2);
const registry = createFileRegistry(fromBinary(FileDescriptorSetSchema, fs.readFileSync(descriptors)));
const service = registry.getService('greeter.Greeter');

function client(httpVersion, options = {}) {
  return createClient(service, createGrpcWebTransport({ baseUrl: `http://${address}`, httpVersion, ...options }));
}

async function collect(iterable) {
  const all = [];
  for await (const message of iterable) all.push(message);
  return all;
}

async function fails(promise, code, text) {
  await assert.rejects(promise, (error) => {
    assert.ok(error instanceof ConnectError, `${error}`);
    assert.strictEqual(Code[error.code], Code[code]);
    assert.ok(error.rawMessage.includes(text), error.rawMessage);
    return true;
  });
}

// Opens a call, sends, and gives what came and how it ended.
function call(path, messages, subprotocols = []) {
  return new Promise((resolve, reject) => {
    const socket = new WebSocket(`ws://${address}/greeter.Greeter/${path}`, subprotocols, { handshakeTimeout: 5000 });
    const replies = [];
    socket.on('open', () => messages.forEach((message) => socket.send(message)));
    socket.on('message', (data, isBinary) => replies.push(isBinary ? data : JSON.parse(data.toString())));
    socket.on('close', (code, reason) => resolve({ replies, code, reason: reason.toString() }));
    socket.on('error', reject);
  });
}

async function unary(version) {
  for (const useBinaryFormat of [true, false]) {
    const greeter = client(version, { useBinaryFormat });
    assert.strictEqual((await greeter.hello({ name: 'Jürgen' })).message, 'Hello Jürgen');
  }
}

async function serverStream(version) {
  const replies = await collect(client(version).countdown({ from: 999 }));
  assert.deepStrictEqual(replies.map((reply) => reply.value), [...Array(1000).keys()].reverse());
}

const CHECKS = {
  web_unary_http1: () => unary('1.1'),
  web_unary_http2: () => unary('2'),
  web_server_stream_http1: () => serverStream('1.1'),
  web_server_stream_http2: () => serverStream('2'),
  web_errors: async () => {
    for (const version of ['1.1', '2']) {
      await fails(client(version).hello({ name: '' }), Code.InvalidArgument, 'name');
    }
  },
  web_large: async () => {
    const name = 'x'.repeat(1 << 20);
    assert.strictEqual((await client('1.1').hello({ name })).message, `Hello ${name}`);
    await fails(client('2').hello({ name: 'x'.repeat(5 << 20) }), Code.ResourceExhausted, '');
  },
  web_cancel: async () => {
    const abort = new AbortController();
    const replies = client('2').countdown({ from: 1 << 30 }, { signal: abort.signal });
    await fails((async () => {
      for await (const reply of replies) if (reply.value < (1 << 30) - 10) abort.abort();
    })(), Code.Canceled, '');
    assert.strictEqual((await client('2').hello({ name: 'still there' })).message, 'Hello still there');
  },
  ws_unary: async () => {
    assert.deepStrictEqual(await call('Hello', ['{"name":"John"}']), { replies: [{ message: 'Hello John' }], code: 1000, reason: '' });
  },
  ws_binary: async () => {
    const request = toBinary(registry.getMessage('greeter.HelloRequest'),
      create(registry.getMessage('greeter.HelloRequest'), { name: 'John' }));
    const end = await call('Hello', [request], ['micro.proto']);
    assert.strictEqual(fromBinary(registry.getMessage('greeter.HelloReply'), end.replies[0]).message, 'Hello John');
    assert.strictEqual(end.code, 1000);
  },
  ws_server_stream: async () => {
    const end = await call('Countdown', ['{"from":999}']);
    assert.deepStrictEqual(end.replies.map((reply) => reply.value), [...Array(1000).keys()].reverse());
    assert.strictEqual(end.code, 1000);
  },
  ws_client_stream: async () => {
    const end = await call('Collect', ['{"name":"a"}', '{"name":"b"}', '']);
    assert.deepStrictEqual(end.replies, [{ count: 2, names: ['a', 'b'] }]);
    assert.strictEqual(end.code, 1000);
  },
  ws_bidi: async () => {
    const end = await call('Chat', ['{"text":"a"}', '{"text":"b"}', '']);
    assert.deepStrictEqual(end.replies, [{ text: 'you said: a' }, { text: 'you said: b' }]);
    assert.strictEqual(end.code, 1000);
  },
  ws_errors: async () => {
    const end = await call('Hello', ['{}']);
    assert.strictEqual(end.code, 4003);
    assert.ok(end.reason.includes('name'), end.reason);
    const late = await call(`Countdown?timeout=50ms`, [`{"from":${(1 << 30)}}`]);
    assert.strictEqual(late.code, 4004);
  },
};

(async () => {
  let failed = 0;
  for (const name of wanted.length > 0 ? wanted : Object.keys(CHECKS)) {
    try {
      await CHECKS[name]();
      console.log(`${name}: ok`);
    } catch (error) {
      ++failed;
      console.log(`${name}: failed: ${String(error.stack || error).replace(/\s+/g, ' ')}`);
    }
  }
  process.exit(failed > 0 ? 1 : 0);
})();
