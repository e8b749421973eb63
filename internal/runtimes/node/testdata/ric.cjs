// Lets AWS's runtime client for Node.js run without its native part, which posts to the Runtime API and waits for the answer.
// Loaded with --require.
'use strict';

const { Worker, isMainThread, workerData } = require('worker_threads');

if (isMainThread) {
  process.env.AWS_LAMBDA_NODEJS_USE_ALTERNATIVE_CLIENT_1 = 'true';
  require('module')._extensions['.node'] = (module) => (module.exports = { done: post('response'), error: post('error') });
} else {
  const { kind, id, body, cause, done } = workerData;
  const [host, port] = process.env.AWS_LAMBDA_RUNTIME_API.split(':');
  const path = `/2018-06-01/runtime/invocation/${id}/${kind}`;
  const headers = { 'Content-Type': 'application/json', 'Content-Length': Buffer.byteLength(body) };
  if (cause) headers['Lambda-Runtime-Function-XRay-Error-Cause'] = Buffer.from(cause).toString('latin1');
  const finish = () => {
    Atomics.store(done, 0, 1);
    Atomics.notify(done, 0);
  };
  require('http')
    .request({ host, port, path, method: 'POST', headers }, (response) => response.resume().on('end', finish))
    .on('error', finish)
    .end(Buffer.from(body)); // as text it would be sent with the head, in UTF-8
}

function post(kind) {
  return (id, body, cause) => {
    if (typeof body !== 'string') throw new TypeError('Wrong arguments');
    const done = new Int32Array(new SharedArrayBuffer(4));
    const worker = new Worker(__filename, { workerData: { kind, id, body, cause, done }, execArgv: [] });
    worker.unref();
    Atomics.wait(done, 0, 0);
  };
}
