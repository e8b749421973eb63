// A process that boots before it is known whose function it will run.
//
// The server starts it in a sandbox that has no code, no layers and no /tmp yet. When there is a function it writes that one's
// variables to a pipe, each with a zero byte behind it and one more behind all, makes the sandbox whole meanwhile, and writes one
// more byte when that is done. Then this process goes on as if it had been started so. A pipe that ends before is a server that ended.
'use strict';

const fs = require('fs');
const net = require('net');
const vm = require('vm');
const logs = require('./logs.cjs');
const packages = require('./packages.cjs');
const { Client } = require('./client.cjs');

// Something of all that functions usually begin with.
const SAMPLE = `
'use strict';
const { join } = require('path');
class A { #a = 1; get a() { return this.#a; } static async b(...c) { for (const d of c) await d; } }
exports.handler = async (event, context) => {
  try { return { statusCode: 200, body: JSON.stringify({ ...event, a: [1, 'x', null].map((v) => v ?? join('a', String(v))) }) }; }
  catch (error) { throw new Error(\`\${error.message}\`); }
};
`;

// wait sleeps until the server says whose process this is, and gives the connection to it.
async function wait(pipe, load) {
  await warm(load());
  const client = new Client(process.env.AWS_LAMBDA_RUNTIME_API);
  await client.connect(); // which tells the server that this process is ready
  delete require.cache[__filename];
  prepare();
  const [variables, go] = hear(pipe);
  become(variables);
  if (!go) read(pipe);
  fs.closeSync(pipe);
  process.chdir(process.env.LAMBDA_TASK_ROOT || '/var/task');
  return client;
}

// warm goes once through what every function needs, so that the pages of it are in memory and compiled what can be. Nothing
// of it is left to be seen.
async function warm(life) {
  vm.runInThisContext(`(function (exports, require) {${SAMPLE}\n})`, { filename: 'warm' })({}, require);
  const { find } = require('./handler.cjs');
  const rehearse = life?.rehearse ?? ((client, ...more) => exchange(client, find, ...more));
  const server = net.createServer(answer);
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  const client = new Client('127.0.0.1:' + server.address().port);
  await client.connect();
  await rehearse(client, { require, load: (url) => import(url) }, 'sample.handler');
  const ended = new Promise((resolve) => server.close(resolve));
  client.close();
  await ended;
  delete require.cache[__dirname + '/sample.js'];
}

// prepare calls what comes when there is a function, with what is here already, so that it is compiled; and collects the garbage
// of the boot, for which the function's first event would have to wait.
function prepare() {
  const { setGlobals } = require('./handler.cjs');
  become(Object.entries(process.env).map(([name, value]) => name + '=' + value));
  process.chdir(process.cwd());
  patch();
  packages.folders();
  setGlobals({});
  delete globalThis.awslambda;
  globalThis.gc?.({ type: 'minor' });
}

// patch replaces console's methods, and puts them back.
function patch() {
  const { trace, debug, info, warn, error, log } = console;
  logs.patchConsole(false);
  Object.assign(console, { trace, debug, info, warn, error, log });
  delete console.fatal;
}

const EVENT =
  'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nLambda-Runtime-Aws-Request-Id: warm\r\nLambda-Runtime-Deadline-Ms: 1\r\n' +
  'Content-Length: 7\r\n\r\n{"n":1}';

// answer is the Runtime API of the rehearsal: an event, and when that is answered another one.
function answer(socket) {
  socket.on('error', () => {});
  socket.on('data', (data) => socket.write(data.includes('POST ') ? 'HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n' + EVENT : EVENT));
}

// exchange is the rehearsal for node 18 to 22, where a whole invocation would leave too much behind.
async function exchange(client, find, loaders, name) {
  const { handler } = await find(name, loaders, false, __dirname);
  const { headers, body } = await new Promise((resolve) => client.next(resolve));
  const result = await handler(JSON.parse(body));
  await new Promise((resolve) => client.finish(headers['lambda-runtime-aws-request-id'], 'response', JSON.stringify(result), resolve));
}

// hear reads "NAME=value" of all variables, and whether the byte that lets us go on came with them.
function hear(pipe) {
  let data = Buffer.alloc(0);
  let end;
  while ((end = data.indexOf('\0\0')) < 0) data = Buffer.concat([data, read(pipe)]);
  return [data.toString('utf8', 0, end).split('\0'), data.length > end + 2];
}

// read gives what is there, or ends: this process is nobody's.
function read(pipe) {
  const chunk = Buffer.alloc(65536);
  const n = fs.readSync(pipe, chunk);
  if (n === 0) process.exit(0);
  return chunk.subarray(0, n);
}

// become takes these variables in the place of the ones that the process was started with. To set TZ, even to what it is,
// makes node look at its time zone again.
function become(list) {
  const { env } = process;
  const zone = list.includes('TZ=' + env.TZ) ? 'TZ' : undefined;
  for (const name of Object.keys(env)) if (name !== zone) delete env[name];
  for (const variable of list) {
    const at = variable.indexOf('=');
    const name = variable.slice(0, at);
    if (name !== zone) env[name] = variable.slice(at + 1);
  }
}

module.exports = { wait };
