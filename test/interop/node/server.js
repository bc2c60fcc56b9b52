// The greeter by @grpc/grpc-js: server.js PROTO HOST:PORT. Says "listening on HOST:PORT" once it does.
'use strict';
const grpc = require('@grpc/grpc-js');

const [protoFile, address] = process.argv.slice(2);
const Greeter = require('./greeter')(protoFile);

// Whatever is called "x-echo-..." goes back, in the headers and in the trailers.
function echo(metadata) {
  const back = new grpc.Metadata();
  for (const key of Object.keys(metadata.getMap()).filter((name) => name.startsWith('x-echo-'))) {
    metadata.get(key).forEach((value) => back.add(key, value));
  }
  return back;
}

const methods = {
  Hello(call, done) {
    const metadata = echo(call.metadata);
    call.sendMetadata(metadata);
    if (!call.request.name) {
      done({ code: grpc.status.INVALID_ARGUMENT, details: 'field name: 0 % of a name, naïve ☃', metadata });
      return;
    }
    done(null, { message: `Hello ${call.request.name}` }, metadata);
  },

  // Writes only what the caller takes, and nothing once it has gone.
  Countdown(call) {
    let value = call.request.from;
    const write = () => {
      while (!call.cancelled && value >= 0) {
        if (!call.write({ value: value-- })) {
          call.once('drain', write);
          return;
        }
      }
      call.end();
    };
    write();
  },

  Collect(call, done) {
    const names = [];
    call.on('data', (request) => names.push(request.name));
    call.on('end', () => done(null, { count: names.length, names }));
  },

  Chat(call) {
    call.on('data', (message) => call.write({ text: `you said: ${message.text}` }));
    call.on('end', () => call.end());
  },
};

const server = new grpc.Server();
server.addService(Greeter.service, methods);
server.bindAsync(address, grpc.ServerCredentials.createInsecure(), (error, port) => {
  if (error) throw error;
  console.log(`listening on ${address.slice(0, address.lastIndexOf(':'))}:${port}`);
});
