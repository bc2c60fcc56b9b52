// What our web client talks to: server.js HOST:PORT. Says "listening on HOST:PORT" once it does.
//
//   /echo        a WebSocket that sends everything back, with permessage-deflate as its query says
//   /script      a WebSocket that does what it is told by each text message
//   /feed        an event stream of five events, two a connection, that goes on behind Last-Event-ID
//   /greeter.Greeter/*   the greeter by docs/reference/web-streaming.md, in JSON
'use strict';
const http = require('http');
const { WebSocketServer } = require('ws');

const [address] = process.argv.slice(2);
const [host, port] = address.split(':');

const INVALID_ARGUMENT = 3;
const METHODS = ['Hello', 'Countdown', 'Collect', 'Chat'];

function echo(socket) {
  socket.on('message', (data, isBinary) => socket.send(data, { binary: isBinary }));
}

// "fragments TEXT", "ping TEXT", "close CODE REASON", "end" (without a close frame), "raw HEX" (bytes of our own choice), "text TEXT".
function script(socket) {
  socket.on('pong', (data) => socket.send(`pong ${data}`));
  socket.on('close', (code, reason) => console.log(`closed ${code} ${reason}`));
  socket.on('message', (data) => {
    const [, command, rest] = /^(\S+) ?([^]*)$/.exec(data.toString());
    switch (command) {
      case 'fragments':
        for (const letter of rest) socket.send(letter, { fin: false });
        socket.send('', { fin: true });
        break;
      case 'ping':
        socket.ping(rest);
        break;
      case 'close': {
        const [code, ...reason] = rest.split(' ');
        socket.close(Number(code), reason.join(' '));
        break;
      }
      case 'end':
        socket.terminate();
        break;
      case 'raw':
        socket._socket.write(Buffer.from(rest, 'hex'));
        break;
      default:
        socket.send(rest);
    }
  });
}

// One message of the call a WebSocket message, an empty one the end of the client's.
function greeter(socket, method) {
  const names = [];
  const reply = (message) => socket.send(JSON.stringify(message));
  const failed = (code, message) => socket.close(4000 + code, message);
  socket.on('message', (data, isBinary) => {
    if (isBinary) return socket.close(1003, 'JSON only');
    const text = data.toString();
    if (text === '') {
      if (method === 'Collect') reply({ count: names.length, names });
      return socket.close(1000);
    }
    const message = JSON.parse(text);
    switch (method) {
      case 'Hello':
        if (!message.name) return failed(INVALID_ARGUMENT, 'field name: expected somebody to greet, naïve ☃');
        reply({ message: `Hello ${message.name}` });
        return socket.close(1000);
      case 'Countdown':
        for (let value = message.from; value >= 0; --value) reply({ value });
        return socket.close(1000);
      case 'Collect':
        return names.push(message.name);
      default:
        return reply({ text: `you said: ${message.text}` });
    }
  });
}

function answerError(response, status, error) {
  response.writeHead(status, { 'Content-Type': 'application/json' });
  response.end(JSON.stringify(error));
}

function feed(request, response) {
  const seen = Number(request.headers['last-event-id'] || 0);
  if (seen >= 5) return response.writeHead(204).end();
  response.writeHead(200, { 'Content-Type': 'text/event-stream' });
  response.write(': hello\n\nretry: 1\n\n');
  for (let id = seen + 1; id <= Math.min(seen + 2, 5); ++id) response.write(`id: ${id}\r\nevent: tick\r\ndata: one\r\ndata: ${id}\r\n\r\n`);
  return response.end('data: cut o');
}

function countdown(request, response) {
  let body = '';
  request.on('data', (data) => { body += data; });
  request.on('end', () => {
    const from = JSON.parse(body).from || 0;
    if (from > 1000000) return answerError(response, 400, { code: 'INVALID_ARGUMENT', message: 'from: too far' });
    response.writeHead(200, { 'Content-Type': 'text/event-stream' });
    for (let value = from; value >= 0; --value) response.write(`data: ${JSON.stringify({ value })}\n\n`);
    if (from === 13) return response.end('event: error\ndata: {"code":"ABORTED","reason":"BAD_LUCK","message":"thirteen"}\n\n');
    return response.end('event: end\ndata: {}\n\n');
  });
}

const server = http.createServer((request, response) => {
  if (request.url === '/feed') return feed(request, response);
  if (request.url === '/greeter.Greeter/Countdown' && request.method === 'POST') return countdown(request, response);
  return answerError(response, 404, { code: 'NOT_FOUND', message: `nothing at ${request.url}` });
});

const plain = new WebSocketServer({ noServer: true, perMessageDeflate: false });
const calls = new WebSocketServer({ noServer: true, perMessageDeflate: true });
const deflating = (parameters) => new WebSocketServer({ noServer: true, perMessageDeflate: { threshold: 0, ...parameters } });

server.on('upgrade', (request, socket, head) => {
  const url = new URL(request.url, 'http://x');
  const method = /^\/greeter\.Greeter\/(\w+)$/.exec(url.pathname);
  let take = null;
  let by = plain;
  if (url.pathname === '/echo') {
    take = echo;
    if (url.search) by = deflating(JSON.parse(decodeURIComponent(url.search.slice(1))));
  } else if (url.pathname === '/script') {
    take = script;
  } else if (method && METHODS.includes(method[1])) {
    take = (opened) => greeter(opened, method[1]);
    by = calls;
  }
  if (!take) {
    const body = JSON.stringify({ code: 'NOT_FOUND', message: `nothing at ${request.url}` });
    socket.end(`HTTP/1.1 404 Not Found\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`);
    return;
  }
  by.handleUpgrade(request, socket, head, take);
});

server.listen(Number(port), host, () => console.log(`listening on ${host}:${server.address().port}`));
