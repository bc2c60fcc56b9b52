// Calls a greeter server with @grpc/grpc-js: client.js PROTO HOST:PORT [CHECK...]. Prints one line a check; ends with 1 when one
// has failed.
'use strict';
const assert = require('node:assert/strict');
const { setTimeout: pause } = require('node:timers/promises');
const grpc = require('@grpc/grpc-js');

const [protoFile, address, ...wanted] = process.argv.slice(2);
const Greeter = require('./greeter')(protoFile);

const ENDLESS = 2 ** 30; // a countdown that nobody waits for
const MEBIBYTE = 2 ** 20;

const client = new Greeter(address, grpc.credentials.createInsecure(), {
  'grpc.enable_http_proxy': 0,
  'grpc.keepalive_time_ms': 200,
  'grpc.keepalive_timeout_ms': 2000,
});
const within = (milliseconds = 10000) => ({ deadline: Date.now() + milliseconds });

// Resolves to { error, reply, headers, trailers } of a unary call or of the reply of a client stream.
function answer(start) {
  return new Promise((resolve) => {
    const result = {};
    const call = start((error, reply) => Object.assign(result, { error, reply }));
    call.on('metadata', (headers) => (result.headers = headers));
    call.on('status', (status) => resolve({ ...result, trailers: status.metadata }));
  });
}

async function greet(name, options = within(), stub = client, metadata = new grpc.Metadata()) {
  const result = await answer((done) => stub.Hello({ name }, metadata, options, done));
  if (!result.error) assert.equal(result.reply.message, `Hello ${name}`);
  return result;
}

async function greeted(...call) {
  const { error } = await greet(...call);
  if (error) throw error;
}

const codeIs = (error, code) => assert.equal(error && error.code, code, `expected code ${code}, got: ${error}`);

// Reads a stream to its end; `take` sees every message.
function read(stream, take) {
  return new Promise((resolve) => {
    stream.on('data', take);
    stream.on('error', resolve);
    stream.on('end', () => setImmediate(resolve, null));
  });
}

async function chat(lines, milliseconds, padding = '') {
  const stream = client.Chat(within());
  const heard = [];
  let wake = () => {};
  const ended = read(stream, (message) => {
    heard.push(message.text);
    wake();
  });
  ended.then(() => wake());
  for (let i = 0; i < lines; ++i) {
    const next = new Promise((resolve) => (wake = resolve));
    stream.write({ text: `line ${i}${padding}` });
    await next;
    assert.ok(heard[i] === `you said: line ${i}${padding}`, `line ${i}: heard ${String(heard[i]).slice(0, 20)}`);
    await pause(milliseconds);
  }
  stream.end();
  assert.equal(await ended, null);
  assert.equal(heard.length, lines);
}

async function unknown(path) {
  const call = (done) => client.makeUnaryRequest(path, (bytes) => bytes, (bytes) => bytes, Buffer.alloc(0),
    new grpc.Metadata(), within(), done);
  codeIs((await answer(call)).error, grpc.status.UNIMPLEMENTED);
}

async function exhaust(size) {
  codeIs((await greet('x'.repeat(size))).error, grpc.status.RESOURCE_EXHAUSTED);
  await greeted('John');
}

const checks = {
  hello: () => greeted('Jürgen 😀'),

  async metadata() {
    const data = Buffer.from([0x00, 0xff, 0x7f, 0x80, 0x2c, 0x20, 0x78]);
    const metadata = new grpc.Metadata();
    metadata.add('x-echo-text', 'one');
    metadata.add('x-echo-text', 'two');
    metadata.add('x-echo-data-bin', data);
    const { error, headers, trailers } = await greet('John', within(), client, metadata);
    assert.equal(error, null);
    for (const back of [headers, trailers]) {
      assert.equal(back.get('x-echo-text').join(', '), 'one, two');
      assert.deepEqual(back.get('x-echo-data-bin'), [data]);
    }
  },

  async invalid_argument() {
    const { error } = await greet('');
    codeIs(error, grpc.status.INVALID_ARGUMENT);
    assert.match(error.details, /name/);
  },

  unknown_method: () => unknown('/greeter.Greeter/Nope'),
  unknown_service: () => unknown('/greeter.Nobody/Hello'),

  async server_stream() {
    const values = [];
    assert.equal(await read(client.Countdown({ from: 999 }, within()), (reply) => values.push(reply.value)), null);
    assert.deepEqual(values, Array.from({ length: 1000 }, (_, i) => 999 - i));
  },

  async client_stream() {
    const names = Array.from({ length: 100 }, (_, i) => `name ${i}`);
    const { error, reply } = await answer((done) => {
      const call = client.Collect(within(), done);
      names.forEach((name) => call.write({ name }));
      call.end();
      return call;
    });
    assert.equal(error, null);
    assert.equal(reply.count, 100);
    assert.deepEqual(reply.names, names);
  },

  bidi: () => chat(100, 0),

  async deadline() {
    codeIs(await read(client.Countdown({ from: ENDLESS }, within(200)), () => {}), grpc.status.DEADLINE_EXCEEDED);
  },

  async cancel() {
    const stream = client.Countdown({ from: ENDLESS }, within());
    let seen = 0;
    const error = await read(stream, () => ++seen === 10 && stream.cancel());
    codeIs(error, grpc.status.CANCELLED);
    await greeted('John');
  },

  large: () => greeted('x'.repeat(MEBIBYTE)),
  large_stream: () => chat(2, 0, 'x'.repeat(2 * MEBIBYTE)),
  too_large: () => exhaust(5 * MEBIBYTE),
  // The request is just below 4 MiB, the reply just above it: our own limit.
  too_large_reply: () => exhaust(4 * MEBIBYTE - 6),

  async gzip() {
    const stub = new Greeter(address, grpc.credentials.createInsecure(), {
      'grpc.enable_http_proxy': 0,
      'grpc.default_compression_algorithm': 2,
    });
    await greeted('compressible '.repeat(10000), within(), stub);
    stub.close();
  },

  concurrent: () => Promise.all(Array.from({ length: 50 }, (_, i) => greeted(`caller ${i}`))),

  // The channel pings every 200 ms during a call; a server that does not answer loses the call within it.
  keepalive: () => chat(2, 700),
};

(async () => {
  for (const [name, check] of Object.entries(checks)) {
    if (wanted.length && !wanted.includes(name)) continue;
    try {
      await check();
      console.log(`${name}: ok`);
    } catch (error) {
      console.log(`${name}: failed: ${String(error.message).replaceAll('\n', ' ')}`);
      process.exitCode = 1;
    }
  }
  client.close();
})();
