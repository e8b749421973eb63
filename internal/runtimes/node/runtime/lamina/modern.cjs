// The life of node 24: a handler gives its result or a promise of it. There are no callbacks, and nothing waits for the event
// loop. What nobody catches ends the process as node ends it.
'use strict';

const context = require('./context.cjs');
const errors = require('./errors.cjs');
const logs = require('./logs.cjs');
const { setGlobals, find } = require('./handler.cjs');
const store = require('./store.cjs');

const NO_CALLBACKS =
  'ERROR: AWS Lambda has removed support for callback-based function handlers starting with Node.js 24. You need to modify this function ' +
  'to use a supported handler signature to use Node.js 24 or later. For more information see ' +
  'https://docs.aws.amazon.com/lambda/latest/dg/nodejs-handler.html.';

// run is in brackets, and so is compiled when the file is: in a process that boots ahead, nobody waits for that.
const run = (async function run(client, loaders) {
  setGlobals({ InvokeStore: store });
  let found;
  try {
    found = await find(process.env._HANDLER ?? '', loaders, true);
    if (found.handler.length >= 3 && !found.streaming) throw errors.Fault('CallbackHandlerDeprecated', NO_CALLBACKS);
  } catch (error) {
    logs.logError('Init Error', error);
    await initError(client, error);
    throw error;
  }
  const answer = found.streaming ? streaming(client, found) : buffered(client, found.handler);
  let event = await first(client);
  for (;;) event = await turn(answer, event);
});

function first(client) {
  return new Promise((resolve) => client.next(resolve));
}

// turn runs one invocation and gives a promise of the next event.
function turn(answer, { headers, body }) {
  const id = context.begin(headers, logs.current);
  const own = contextOf(headers);
  const input = JSON.parse(body);
  return store.run(store.of(headers), () => answer(id, input, own));
}

// rehearse runs one invocation of a handler of our own, in a process that waits for its function, and leaves nothing of it.
async function rehearse(client, loaders, name) {
  const { handler } = await find(name, loaders, true, __dirname);
  await turn(buffered(client, handler), await first(client));
  store.run(undefined, () => {});
  logs.current.request = logs.current.tenant = undefined;
}

function initError(client, error) {
  const body = errors.body(error);
  const type = String(body.errorType).replace(/[^\x20-\x7e]/g, ' ');
  return new Promise((resolve) => client.last('init/error', JSON.stringify(body), { 'Lambda-Runtime-Function-Error-Type': type }, resolve));
}

function contextOf(headers) {
  const { getRemainingTimeInMillis, ...values } = context.fromHeaders(headers);
  const { functionName, functionVersion, ...environment } = context.fromEnvironment();
  context.forwardTrace(headers);
  const xRayTraceId = headers['lambda-runtime-trace-id'];
  return { ...values, xRayTraceId, getRemainingTimeInMillis, functionName, functionVersion, ...environment };
}

const nextTurn = () => new Promise(setImmediate);

// These call the handler. Their names are in the traces of every error, where people know them of AWS's client.
class BufferedInvokeProcessor {
  constructor(handler) {
    this.handler = handler;
  }

  async processInvoke(event, context) {
    return await this.handler(event, context);
  }
}

class StreamingInvokeProcessor {
  constructor(handler) {
    this.handler = handler;
  }

  processInvoke(event, stream, context) {
    return this.handler(event, stream, context);
  }
}

function buffered(client, handler) {
  const processor = new BufferedInvokeProcessor(handler);
  return async (id, event, own) => {
    try {
      const result = await processor.processInvoke(event, own);
      await nextTurn();
      const body = stringify(result);
      return await new Promise((resolve) => client.finish(id, 'response', body, resolve));
    } catch (error) {
      await nextTurn();
      logs.logError('Invoke Error', error);
      errors.hint(error);
      return new Promise((resolve) => client.finish(id, 'error', JSON.stringify(errors.body(error)), resolve, errors.cause(error)));
    }
  };
}

function stringify(value) {
  try {
    return JSON.stringify(value) ?? 'null';
  } catch {
    throw errors.Fault('JSONStringifyError', 'Unable to stringify response body');
  }
}

function streaming(client, { handler, highWaterMark }) {
  const { ResponseStream } = require('./stream.cjs');
  const processor = new StreamingInvokeProcessor(handler);
  return async (id, event, own) => {
    const stream = new ResponseStream(client, id, highWaterMark);
    let whenIdle;
    const idle = new Promise((resolve) => process.once('beforeExit', (whenIdle = resolve)));
    try {
      await stream.serve(() => processor.processInvoke(event, stream, own), idle, (message) => new Error(message));
    } catch (error) {
      await nextTurn();
      logs.logError('Invoke Error', error);
      errors.hint(error);
      await stream.fail(errors.body(error));
    }
    process.removeListener('beforeExit', whenIdle);
    return new Promise((resolve) => client.next(resolve));
  };
}

module.exports = { run, rehearse };
