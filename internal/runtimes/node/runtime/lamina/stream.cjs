// What a streaming handler writes to. Loaded for such handlers only.
'use strict';

const { Writable } = require('stream');
const { Fault } = require('./errors.cjs');

class ResponseStream extends Writable {
  #client;
  #id;
  #type = 'application/octet-stream';
  #request; // what the response is written to; the first bytes begin it
  #answered;
  #nowAnswered;

  constructor(client, id, highWaterMark) {
    super({ highWaterMark, decodeStrings: true });
    this.#client = client;
    this.#id = id;
    this.#answered = new Promise((resolve) => (this.#nowAnswered = resolve));
    this.on('error', () => {}); // it is the handler's promise that counts
  }

  setContentType(type) {
    if (this.#request !== undefined) throw Fault('InvalidStreamingOperation', 'Cannot set content-type, too late.');
    this.#type = type;
  }

  write(chunk, encoding, done) {
    const plain = typeof chunk === 'string' || chunk instanceof Uint8Array;
    return super.write(plain ? chunk : JSON.stringify(chunk), encoding, done);
  }

  #begin() {
    this.#request ??= this.#client.respond(this.#id, this.#type, this.#nowAnswered);
    return this.#request;
  }

  _write(chunk, encoding, done) {
    const first = this.#request === undefined;
    const request = this.#begin();
    if (first && typeof this._onBeforeFirstWrite === 'function') {
      this._onBeforeFirstWrite((head) => request.write(Buffer.from(head), () => {}));
    }
    if (chunk.length === 0) return done(); // a chunk without bytes would be the end
    request.write(chunk, done);
  }

  _final(done) {
    this.#begin().end({});
    done();
  }

  // serve runs the handler until the server has taken its whole response. When the event loop is empty before that, nobody
  // will ever end the response.
  async serve(handler, idle, asError) {
    const result = handler();
    if (typeof result?.then !== 'function') throw asError('Streaming does not support non-async handlers.');
    const settled = await Promise.race([Promise.resolve(result).then((value) => ({ value })), idle.then(() => undefined)]);
    if (settled?.value !== undefined) console.warn('Streaming handlers ignore return values.');
    await Promise.race([this.#answered, idle]);
    if (!this.writableFinished) throw asError('Response stream is not finished.');
    await this.#answered;
  }

  // fail ends the response with an error behind what was written.
  async fail(body) {
    const request = this.#begin();
    if (!this.writableFinished) {
      request.end({
        'Lambda-Runtime-Function-Error-Type': String(body.errorType).replace(/[^\x20-\x7e]/g, ' '),
        'Lambda-Runtime-Function-Error-Body': Buffer.from(JSON.stringify(body)).toString('base64'),
      });
    }
    this.destroy();
    await this.#answered;
  }
}

module.exports = { ResponseStream };
