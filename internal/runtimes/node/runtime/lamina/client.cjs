// HTTP/1.1 to the Runtime API, over one connection that is kept.
//
// An answer and the question for the next event leave in one write: the server wakes up once a turn and not twice. While the
// function works nothing is waited for, and the connection does not keep the process alive: an empty event loop is seen.
'use strict';

const net = require('net');

const BASE = '/2018-06-01/runtime/';

class Client {
  #host;
  #port;
  #address;
  #next;
  #socket = null;
  #parts = []; // bytes that came and are not yet an answer
  #size = 0; // of the parts
  #need = 0; // how many bytes an answer needs at least
  #waiting = []; // requests without an answer, in the order in which they were sent

  constructor(address) {
    const colon = address.lastIndexOf(':');
    this.#address = address;
    this.#host = address.slice(0, colon);
    this.#port = Number(address.slice(colon + 1));
    this.#next = this.#head('GET', 'invocation/next', {});
  }

  // connect connects before there is anything to ask. Whether it could shows later.
  connect() {
    const socket = (this.#socket ??= this.#connect());
    return new Promise((resolve) => {
      socket.once('connect', () => {
        socket.unref();
        resolve();
      });
      socket.once('close', resolve);
    });
  }

  // close ends the connection, when nothing is asked any more.
  close() {
    const socket = this.#socket;
    this.#socket = null;
    socket?.destroy();
  }

  #head(method, path, headers) {
    let head = `${method} ${BASE}${path} HTTP/1.1\r\nHost: ${this.#address}\r\nUser-Agent: lamina-node\r\n`;
    for (const name in headers) head += `${name}: ${headers[name]}\r\n`;
    return head + '\r\n';
  }

  #post(path, body, headers) {
    return this.#head('POST', path, { 'Content-Length': Buffer.byteLength(body), 'Content-Type': 'application/json', ...headers }) + body;
  }

  // next asks for an event and calls done with it: its headers, with lower-case names, and its text.
  next(done) {
    this.#send([this.#nextRequest(done)]);
  }

  #nextRequest(done) {
    return {
      bytes: this.#next,
      failures: 0,
      done(status, headers, body) {
        if (status !== 200) die(`Failed to get next invocation. Http response code: ${status}.`);
        done({ headers, body: body.toString('utf8') });
      },
    };
  }

  // finish posts what came out of an invocation ("response" or "error"), and gives the next event as next does. Whether the
  // server took the answer does not matter here, as with AWS's client.
  finish(id, kind, body, done, headers = {}) {
    const post = { bytes: this.#post(`invocation/${encodeURIComponent(id)}/${kind}`, body, headers), failures: 0, done() {} };
    this.#send([post, this.#nextRequest(done)]);
  }

  // last posts an error that ends the process, on a connection of its own, since the usual one may wait for an event.
  last(path, body, headers, done) {
    const client = new Client(this.#address);
    client.#send([{ bytes: this.#post(path, body, headers), failures: 0, done }]);
  }

  // respond begins a response whose length is not known. It gives write(bytes, done) and end(trailers); answered is called
  // when the server has answered or is gone.
  respond(id, contentType, answered) {
    const head = this.#head('POST', `invocation/${encodeURIComponent(id)}/response`, {
      'Lambda-Runtime-Function-Response-Mode': 'streaming',
      Trailer: 'Lambda-Runtime-Function-Error-Type, Lambda-Runtime-Function-Error-Body',
      'Content-Type': contentType,
      'Transfer-Encoding': 'chunked',
    });
    const request = { bytes: null, done: answered };
    const socket = (this.#socket ??= this.#connect());
    socket.write(head);
    this.#waiting.push(request);
    return {
      write: (bytes, done) => {
        if (!this.#waiting.includes(request)) return done(); // answered already: too large, or too late
        socket.write(bytes.length.toString(16) + '\r\n');
        socket.write(bytes);
        socket.write('\r\n', done);
      },
      end: (trailers) => {
        let tail = '0\r\n';
        for (const name in trailers) tail += `${name}: ${trailers[name]}\r\n`;
        if (this.#waiting.includes(request)) this.#hold(socket).write(tail + '\r\n');
      },
    };
  }

  #send(requests) {
    this.#waiting.push(...requests);
    this.#hold((this.#socket ??= this.#connect())).write(requests.map((r) => r.bytes).join(''));
  }

  // hold lets the connection keep the process alive.
  #hold(socket) {
    socket.ref();
    return socket;
  }

  #connect() {
    const socket = net.connect({ host: this.#host, port: this.#port, noDelay: true });
    socket.on('data', (data) => {
      if (socket === this.#socket) this.#receive(data);
    });
    socket.on('error', (error) => this.#lost(socket, error));
    socket.on('close', () => this.#lost(socket, new Error('the connection was closed')));
    this.#parts = [];
    this.#size = this.#need = 0;
    return socket;
  }

  // lost sends what has no answer yet once more, on a new connection.
  #lost(socket, error) {
    if (socket !== this.#socket) return;
    this.#socket = null;
    socket.destroy();
    const again = [];
    for (const request of this.#waiting.splice(0)) {
      if (request.bytes === null) request.done(0, {}, null); // half a stream cannot be repeated
      else if (++request.failures > 1) die(`No Response from endpoint: ${error.message}`);
      else again.push(request);
    }
    if (again.length > 0) this.#send(again);
  }

  #receive(data) {
    this.#parts.push(data);
    this.#size += data.length;
    while (this.#size > 0 && this.#size >= this.#need) {
      const bytes = this.#parts.length === 1 ? this.#parts[0] : Buffer.concat(this.#parts, this.#size);
      const answer = parse(bytes);
      this.#parts = [bytes];
      this.#need = answer.need ?? 0;
      if (answer.need !== undefined) return;
      this.#parts = [bytes.subarray(answer.used)];
      this.#size -= answer.used;
      if (answer.status >= 200) this.#answered(answer);
    }
  }

  #answered({ status, headers, body }) {
    const request = this.#waiting.shift();
    if (headers.connection?.toLowerCase() === 'close') this.#lost(this.#socket, new Error('the connection was closed'));
    if (this.#waiting.length === 0) this.#socket?.unref();
    request?.done(status, headers, body);
  }
}

// parse reads one answer: how many bytes it used, or how many there must be before it is worth another try.
function parse(bytes) {
  const end = bytes.indexOf('\r\n\r\n');
  if (end < 0) return { need: bytes.length + 1 };
  const lines = bytes.toString('utf8', 0, end).split('\r\n');
  const headers = {};
  for (let i = 1; i < lines.length; i++) {
    const colon = lines[i].indexOf(':');
    headers[lines[i].slice(0, colon).trim().toLowerCase()] = lines[i].slice(colon + 1).trim();
  }
  const status = Number(lines[0].split(' ', 2)[1]);
  if (headers['transfer-encoding']?.toLowerCase() === 'chunked') return chunks(bytes, end + 4, status, headers);
  const used = end + 4 + (status >= 200 ? Number(headers['content-length'] ?? 0) : 0);
  if (bytes.length < used) return { need: used };
  return { used, status, headers, body: bytes.subarray(end + 4, used) };
}

// chunks reads a chunked body. lamina's server never sends one, but an extension may stand between.
function chunks(bytes, at, status, headers) {
  const body = [];
  const more = { need: bytes.length + 1 };
  for (;;) {
    const end = bytes.indexOf('\r\n', at);
    if (end < 0) return more;
    const size = parseInt(bytes.toString('latin1', at, end), 16);
    at = end + 2;
    if (size === 0) break;
    if (bytes.length < at + size + 2) return { need: at + size + 2 };
    body.push(bytes.subarray(at, at + size));
    at += size + 2;
  }
  for (;;) {
    const end = bytes.indexOf('\r\n', at); // trailers
    if (end < 0) return more;
    const empty = end === at;
    at = end + 2;
    if (empty) return { used: at, status, headers, body: Buffer.concat(body) };
  }
}

// die ends a runtime that has lost its server; the environment is made anew.
function die(message) {
  process.stderr.write(`[ERROR] [${Date.now()}] LAMBDA_RUNTIME ${message}\n`);
  process.exit(1);
}

module.exports = { Client };
