// The life of node 18 to 22.
//
// A handler answers by a promise, by its callback, or by context.succeed, fail or done; the first that comes counts. An
// answer by the callback waits until the event loop is empty, unless the context says otherwise; and when the event loop is
// empty without an answer, the answer is null (for an async function, whose promise then never settles, it is an error).
'use strict';

const context = require('./context.cjs');
const errors = require('./errors.cjs');
const logs = require('./logs.cjs');
const { setGlobals, find } = require('./handler.cjs');

const NEVER_SETTLED =
  'The Lambda runtime client detected an unexpected Node.js exit code. This is most commonly caused by a Promise that was never settled. ' +
  'For more information, see https://nodejs.org/docs/latest/api/process.html#exit-codes';

let client;
let invocation; // the id of the current one, or of the last
let ending = false; // an error that nobody caught is being posted
let whenIdle = () => {}; // called when the event loop is empty

async function run(c, loaders) {
  client = c;
  process.on('uncaughtException', (error) => end('Uncaught Exception', error, 129));
  process.on('unhandledRejection', (reason, promise) => {
    end('Unhandled Promise Rejection', errors.Fault('UnhandledPromiseRejection', reason, { reason, promise }), 128);
  });
  process.on('beforeExit', () => whenIdle());
  setGlobals();
  const found = await find(process.env._HANDLER ?? '', loaders, false); // what it throws nobody catches
  warn(found);
  const serve = found.streaming ? streaming(found) : buffered(found.handler);
  setImmediate(() => ending || client.next(serve));
}

// end logs what nobody caught, posts it, and ends the process.
function end(what, error, code) {
  logs.logError(what, error);
  post(error, code);
}

// guarded gives a serve whose own failure, of an error that cannot even be logged, ends the process.
function guarded(serve) {
  return (event) => {
    if (ending) return;
    try {
      serve(event)?.catch(giveUp);
    } catch (error) {
      giveUp(error);
    }
  };
}

function giveUp(error) {
  console.log(`Unexpected Top Level Error: ${error.toString()}`);
  post(error, 129);
}

function post(error, code) {
  if (ending) return; // the first is the reason
  ending = true;
  const body = errors.body(error);
  const exit = () => process.exit(code);
  if (invocation !== undefined) return client.last(`invocation/${invocation}/error`, JSON.stringify(body), errors.cause(error), exit);
  client.last('init/error', JSON.stringify(body), { 'Lambda-Runtime-Function-Error-Type': oneLine(body.errorType) }, exit);
}

function oneLine(text) {
  return String(text).replace(/[^\x20-\x7e]/g, ' ');
}

function isAsync(handler) {
  return handler.constructor?.name === 'AsyncFunction';
}

function warn({ handler, streaming }) {
  if (handler.length !== 3 || isAsync(handler) || streaming) return;
  if (process.env.AWS_LAMBDA_NODEJS_DISABLE_CALLBACK_WARNING !== undefined) return;
  console.warn(
    'AWS Lambda plans to remove support for callback-based function handlers starting with Node.js 24. You will need to update this function ' +
      'to use an async handler to use Node.js 24 or later. For more information and to provide feedback on this change, see ' +
      'https://github.com/aws/aws-lambda-nodejs-runtime-interface-client/issues/137. To disable this warning, set the ' +
      'AWS_LAMBDA_NODEJS_DISABLE_CALLBACK_WARNING environment variable.',
  );
}

// answer posts what became of an invocation, and goes on with the next. A process that is ending says nothing more.
function answer(id, kind, body, serve, headers) {
  if (!ending) client.finish(id, kind, body, serve, headers);
}

function begin(headers) {
  invocation = context.begin(headers, logs.current);
  return invocation;
}

function attach(target, headers) {
  context.forwardTrace(headers);
  return Object.assign(target, context.fromEnvironment(), context.fromHeaders(headers));
}

// Runtime calls the handler. These names are in the traces of every error, where people know them of AWS's client.
class Runtime {
  constructor(handler) {
    this.handler = handler;
  }

  handleOnceNonStreaming(event, context, callback) {
    return this.handler(event, context, callback);
  }

  handleOnceStreaming(event, stream, context) {
    return this.handler(event, stream, context);
  }
}

// buffered gives what serves events with an ordinary handler.
function buffered(handler) {
  const runtime = new Runtime(handler);
  const never = isAsync(handler);
  const serve = guarded(({ headers, body }) => {
    const answers = new Answers(begin(headers), serve);
    whenIdle = () => answers.idle(never);
    try {
      const result = runtime.handleOnceNonStreaming(JSON.parse(body), attach(answers.context, headers), answers.callback);
      if (typeof result?.then === 'function') {
        result.then(answers.context.succeed, answers.context.fail).catch(answers.context.fail);
      }
    } catch (error) {
      answers.callback(error);
    }
  });
  return serve;
}

// Answers are the ways in which a handler can answer one invocation. The first that is used disables the others.
class Answers {
  #id;
  #serve;
  #used = false;
  #completed = false;
  #waits = true;

  constructor(id, serve) {
    this.#id = id;
    this.#serve = serve;
    this.callback = this.#first((error, result) => this.#answer(error, result, this.#waits));
    const first = (use) => this.#first(use);
    const answers = this;
    this.context = {
      get callbackWaitsForEmptyEventLoop() {
        return answers.#waits;
      },
      set callbackWaitsForEmptyEventLoop(value) {
        answers.#waits = value;
      },
      succeed: first((result) => this.#answer(null, result, false)),
      fail: first((error) => this.#answer(error ?? 'handled', null, false)),
      done: first((error, result) => this.#answer(error, result, false)),
    };
  }

  // A use that throws does not count: what it threw can still be the answer.
  #first(use) {
    return (...args) => {
      if (this.#used) return;
      use(...args);
      this.#used = true;
    };
  }

  #answer(error, result, wait) {
    whenIdle = () => {};
    if (error !== undefined && error !== null) return this.#fail(error);
    if (!wait) return this.#complete(result);
    whenIdle = () => setImmediate(() => this.#complete(result));
  }

  #complete(result) {
    if (this.#completed) return console.error('Invocation has already been reported as done. Cannot call complete more than once per invocation.');
    const body = stringify(result);
    this.#completed = true;
    answer(this.#id, 'response', body, this.#serve);
  }

  #fail(error) {
    logs.logError('Invoke Error', error);
    errors.hint(error);
    answer(this.#id, 'error', stringify(errors.body(error)), this.#serve, errors.cause(error));
  }

  idle(never) {
    whenIdle = () => {};
    this.#completed = true;
    if (never) return this.#fail(errors.Fault('NodeJsExit', NEVER_SETTLED));
    answer(this.#id, 'response', 'null', this.#serve);
  }
}

function stringify(value) {
  try {
    return JSON.stringify(value) ?? 'null';
  } catch {
    throw new Error('Unable to stringify response body');
  }
}

// streaming gives what serves events with a streaming handler.
function streaming({ handler, highWaterMark }) {
  const { ResponseStream } = require('./stream.cjs');
  const runtime = new Runtime(handler);
  const serve = guarded(async ({ headers, body }) => {
    const stream = new ResponseStream(client, begin(headers), highWaterMark);
    const idle = new Promise((resolve) => (whenIdle = resolve));
    let waits = true;
    const own = {
      get callbackWaitsForEmptyEventLoop() {
        return waits;
      },
      set callbackWaitsForEmptyEventLoop(value) {
        waits = value;
      },
    };
    try {
      await stream.serve(() => runtime.handleOnceStreaming(JSON.parse(body), stream, attach(own, headers)), idle, (message) => message);
    } catch (error) {
      logs.logError('Invoke Error', error);
      errors.hint(error);
      await stream.fail(errors.body(error));
    }
    whenIdle = () => {};
    if (!waits) return client.next(serve);
    whenIdle = () => {
      whenIdle = () => {};
      setImmediate(() => client.next(serve));
    };
  });
  return serve;
}

module.exports = { run };
