// lamina's node runtime: it fetches events from the Runtime API, hands them to the function's handler, posts what comes out.
//
//   main      the start of the process: settings, the handler, then event after event
//   client    HTTP/1.1 to the Runtime API, over one connection that is kept
//   handler   finds the function that a handler's name means
//   classic   the life of node 18 to 22: callbacks, and waiting until the event loop is empty
//   modern    the life of node 24, where a handler is a function that gives a promise or a value
//   stream    what a streaming handler writes to (loaded for such handlers only)
//   context   the handler's second argument
//   errors    error bodies, and how errors are logged
//   logs      console.* as functions know it
//   packages  import of packages in layers, which node itself only finds for require
//   spare     a process that boots before its function is known, and sample, the handler that it runs once
//
// A cold start pays for every module, so nothing is loaded that is not in node's own snapshot but net. Node 18 to 24 run it.
'use strict';

const Module = require('module');
const logs = require('./logs.cjs');
const packages = require('./packages.cjs');
const { Client } = require('./client.cjs');

const major = parseInt(process.versions.node, 10);
const modern = major >= 24;

// What AWS's bootstrap sets when the function's configuration left it empty.
function searchPath() {
  const runtime = process.env.LAMBDA_RUNTIME_DIR || '/var/runtime';
  const task = process.env.LAMBDA_TASK_ROOT || '/var/task';
  const layers = [`/opt/nodejs/node${major}/node_modules`, '/opt/nodejs/node_modules'];
  return [...layers, runtime + '/node_modules', runtime, task].join(':');
}

// IDENTITY names the variable by which the server boots a process before it knows the function.
const IDENTITY = '_LAMINA_IDENTITY_FD';

let connected; // the connection of a process that was booted ahead

// boot gives a promise to wait for before start, when this process does not know its function yet.
function boot() {
  const pipe = process.env[IDENTITY];
  if (pipe === undefined) return undefined;
  const ahead = require('./spare.cjs').wait(Number(pipe), modern ? loadModern : loadClassic);
  return ahead.then((client) => (connected = client));
}

// start loads the function with index.mjs's ways to do so and serves events. With classic runtimes the process waits for it before
// it counts as started (an await that never ends is then node's exit code 13).
const start = (async function start(loaders) {
  if (!process.env.NODE_PATH) {
    process.env.NODE_PATH = searchPath();
    Module._initPaths();
  }
  logs.patchConsole(modern);
  const life = modern ? loadModern() : loadClassic();
  packages.prepare();
  await life.run(connected ?? new Client(process.env.AWS_LAMBDA_RUNTIME_API), loaders);
});

function loadModern() {
  return require('./modern.cjs');
}

function loadClassic() {
  return require('./classic.cjs');
}

module.exports = { boot, start, waits: !modern };
