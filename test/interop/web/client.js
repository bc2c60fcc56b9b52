// Talks to a WebSocket server of ours with ws: client.js HOST:PORT [CHECK...]. Prints one line a check; ends with 1 when one has failed.
'use strict';
const assert = require('assert');
const net = require('net');
const { WebSocket } = require('ws');

const [address, ...wanted] = process.argv.slice(2);
const [host, port] = address.split(':');

function open(path = '/', options = {}, subprotocols = []) {
  return new Promise((resolve, reject) => {
    const socket = new WebSocket(`ws://${address}${path}`, subprotocols, { handshakeTimeout: 5000, ...options });
    socket.on('open', () => resolve(socket));
    socket.on('error', reject);
  });
}

const next = (socket) => new Promise((resolve, reject) => {
  socket.once('message', (data, isBinary) => resolve({ data, isBinary }));
  socket.once('close', (code) => reject(new Error(`closed with ${code} instead of answered`)));
});

const closed = (socket) => new Promise((resolve) => {
  socket.once('close', (code, reason) => resolve({ code, reason: reason.toString() }));
});

async function talk(socket) {
  for (const size of [0, 1, 125, 126, 127, 128, 4096, 65535, 65536, 1 << 20]) {
    for (const isBinary of [false, true]) {
      const data = Buffer.alloc(size);
      for (let i = 0; i < size; ++i) data[i] = isBinary ? (i * i) & 255 : 97 + ((i * i) % 23);
      socket.send(data, { binary: isBinary });
      const back = await next(socket);
      assert.strictEqual(back.isBinary, isBinary);
      assert.ok(back.data.equals(data), `${size} bytes came back as others`);
    }
  }
  const end = closed(socket);
  socket.close(1000, 'bye');
  assert.strictEqual((await end).code, 1000);
}

// The code the server closes with after these bytes, masked or not as they are.
async function codeAfter(bytes, path = '/', options = { perMessageDeflate: false }) {
  const socket = await open(path, options);
  const end = closed(socket);
  socket._socket.write(Buffer.concat(bytes));
  return (await end).code;
}

const frame = (first, payload, mask = true, length = null) => {
  const data = Buffer.from(payload);
  const size = length || (data.length < 126 ? Buffer.from([data.length]) : Buffer.from([126, data.length >> 8, data.length & 255]));
  size[0] |= mask ? 128 : 0;
  const key = mask ? Buffer.from([1, 2, 3, 4]) : Buffer.alloc(0);
  return Buffer.concat([Buffer.from([first]), size, key, data.map((byte, i) => (mask ? byte ^ key[i % 4] : byte))]);
};

// The status line of an answer to these header lines.
function statusOf(lines) {
  return new Promise((resolve, reject) => {
    const socket = net.connect(Number(port), host, () => socket.write(`GET / HTTP/1.1\r\nHost: x\r\n${lines.map((line) => `${line}\r\n`).join('')}\r\n`));
    let text = '';
    socket.setTimeout(5000, () => reject(new Error('no answer')));
    socket.on('data', (data) => {
      text += data;
      const status = /^HTTP\/1.1 (\d+)/.exec(text);
      if (!status) return;
      socket.destroy();
      resolve(Number(status[1]));
    });
    socket.on('error', reject);
  });
}

const checks = {
  async echo() { await talk(await open('/', { perMessageDeflate: false })); },

  async deflate() {
    for (const path of ['/', '/?forget', '/?8', '/?9', '/?12']) {
      for (const parameters of [{}, { serverNoContextTakeover: true, clientNoContextTakeover: true },
        { serverMaxWindowBits: 10, clientMaxWindowBits: 11 }, { clientMaxWindowBits: true }, { serverMaxWindowBits: 9 }]) {
        const socket = await open(path, { perMessageDeflate: { threshold: 0, ...parameters } });
        assert.match(socket.extensions, /permessage-deflate/);
        await talk(socket);
      }
    }
  },

  async fragments() {
    const socket = await open();
    for (const letter of ['h', 'ä', '', 'llo']) socket.send(letter, { fin: false });
    socket.ping('between');
    socket.send('', { fin: true });
    assert.strictEqual((await next(socket)).data.toString(), 'hällo');
    socket.terminate();
  },

  async pings() {
    const socket = await open();
    const pong = new Promise((resolve) => { socket.once('pong', (data) => resolve(data.toString())); });
    socket.ping('are you there');
    assert.strictEqual(await pong, 'are you there');
    socket.terminate();
  },

  async closing() {
    for (const code of [1000, 1001, 1011, 3000, 4999]) {
      const socket = await open();
      const end = closed(socket);
      socket.close(code, 'naïve');
      assert.strictEqual((await end).code, code);
    }
    assert.strictEqual(await codeAfter([frame(0x88, '')]), 1005);
  },

  async bad_frames() {
    const cases = [
      [1002, frame(0xc1, 'x')], [1002, frame(0xa1, 'x')], [1002, frame(0x91, 'x')], [1002, frame(0x83, 'x')], [1002, frame(0x8b, 'x')],
      [1002, frame(0x81, 'x', false)], [1002, frame(0x09, 'x')], [1002, frame(0x89, Buffer.alloc(126))], [1002, frame(0x80, 'x')],
      [1002, frame(0x01, 'x'), frame(0x81, 'y')], [1002, frame(0x81, 'x', true, Buffer.from([126, 0, 1]))],
      [1002, frame(0x88, [3])], [1002, frame(0x88, [3, 237])], [1002, frame(0x88, [19, 136])],
      [1007, frame(0x81, [0xc3, 0x28])], [1007, frame(0x01, [0xed]), frame(0x80, [0xa0, 0x80])], [1007, frame(0x88, [3, 232, 255])],
      [1009, frame(0x82, '', true, Buffer.from([127, 0, 0, 0, 0, 1, 0, 0, 0]))],
    ];
    for (const [code, ...bytes] of cases) assert.strictEqual(await codeAfter(bytes), code, Buffer.concat(bytes).toString('hex').slice(0, 40));
  },

  async bomb() {
    const socket = await open('/', { perMessageDeflate: { threshold: 0 } });
    const end = closed(socket);
    socket.send(Buffer.alloc(64 << 20));
    assert.strictEqual((await end).code, 1009);
  },

  async subprotocol() {
    assert.strictEqual((await open('/', {}, ['other', 'echo'])).protocol, 'echo');
  },

  async handshakes() {
    const good = ['Upgrade: websocket', 'Connection: Upgrade', 'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==', 'Sec-WebSocket-Version: 13'];
    assert.strictEqual(await statusOf(good), 101);
    assert.strictEqual(await statusOf([]), 426);
    assert.strictEqual(await statusOf([...good.slice(0, 3), 'Sec-WebSocket-Version: 8']), 426);
    assert.strictEqual(await statusOf([good[0], good[1], good[3]]), 400);
    assert.strictEqual(await statusOf([...good, 'Sec-WebSocket-Extensions: ;']), 400);
  },
};

(async () => {
  let failed = false;
  for (const name of wanted.length ? wanted : Object.keys(checks)) {
    let outcome = 'ok';
    try {
      await checks[name]();
    } catch (error) {
      outcome = `failed: ${error.message.split('\n').join(' ')}`;
      failed = true;
    }
    console.log(`${name}: ${outcome}`);
  }
  process.exit(failed ? 1 : 0);
})();
