// Finds the function that a handler's name means: folder/module.path.to.function, at the function's root.
'use strict';

const fs = require('fs');
const path = require('path');
const { pathToFileURL } = require('url');
const { Fault, hint } = require('./errors.cjs');
const packages = require('./packages.cjs');

const STREAMING = Symbol.for('aws.lambda.runtime.handler.streaming');
const HIGH_WATER_MARK = Symbol.for('aws.lambda.runtime.handler.streaming.highWaterMark');

// setGlobals gives functions what marks a streaming handler, unless they do not want it.
function setGlobals(more) {
  if (['1', 'true'].includes(process.env.AWS_LAMBDA_NODEJS_NO_GLOBAL_AWSLAMBDA)) return;
  globalThis.awslambda = { ...more, streamifyResponse, HttpResponseStream };
}

function streamifyResponse(handler, options) {
  handler[STREAMING] = 'response';
  if (typeof options?.highWaterMark === 'number') handler[HIGH_WATER_MARK] = parseInt(options.highWaterMark, 10);
  return handler;
}

// HttpResponseStream puts the status and the headers of an HTTP answer before what is written to a stream.
class HttpResponseStream {
  static from(stream, metadata) {
    stream.setContentType('application/vnd.awslambda.http-integration-response');
    const prelude = JSON.stringify(metadata);
    stream._onBeforeFirstWrite = (write) => {
      write(prelude);
      write(new Uint8Array(8));
    };
    return stream;
  }
}

// find gives {handler, streaming, highWaterMark}. The loaders are index.mjs's {require, load}; load is its import.
async function find(name, loaders, modern, root = process.env.LAMBDA_TASK_ROOT || '/var/task') {
  if (name.includes('..')) {
    throw Fault('MalformedHandlerName', `'${name}' is not a valid handler name. Use absolute paths when specifying root directories in handler names.`);
  }
  const base = path.basename(name);
  const folder = name.slice(0, name.indexOf(base));
  const [, module, property] = /^([^.]*)\.(.*)$/.exec(base) ?? [];
  if (module === undefined) throw Fault('MalformedHandlerName', 'Bad handler');
  const loaded = await load(modern ? loadModern : loadClassic, loaders, root, folder, module);
  const handler = (modern ? findModern : findClassic)(loaded, property.split('.'));
  if (!handler) throw Fault('HandlerNotFound', `${name} is undefined or not exported`);
  if (typeof handler !== 'function') throw Fault('HandlerNotFound', `${name} is not a function`);
  return { handler, ...marks(handler) };
}

async function load(loader, loaders, root, folder, module) {
  try {
    return await loader(loaders, root, folder, module);
  } catch (error) {
    hint(error);
    if (error instanceof SyntaxError) throw syntaxFault(error);
    if (loader === loadClassic) error.code; // fails without an object, and that is what the caller sees on the older nodes
    if (error?.code === 'MODULE_NOT_FOUND') throw Fault('ImportModuleError', String(error));
    throw error;
  }
}

function syntaxFault(error) {
  const fault = Fault('UserCodeSyntaxError', String(error));
  if (parseInt(process.versions.node, 10) >= 24) fault.stack = error.stack;
  return fault;
}

// loadClassic is the order of node 18 to 22, which prefers require.
async function loadClassic({ require, load }, root, folder, module) {
  const file = path.resolve(root, folder, module);
  const required = (extension) => (fs.existsSync(file + extension) ? require(file + extension) : undefined);
  const esm = fs.existsSync(file + '.js') && isModuleFolder(path.dirname(file));
  return (
    required('') ||
    (!esm && required('.js')) ||
    (esm && (await imported(load, file + '.js'))) ||
    (await imported(load, file + '.mjs')) ||
    required('.cjs') ||
    require(require.resolve(module, { paths: [root, folder] }))
  );
}

// isModuleFolder looks for "type": "module" in the nearest package.json. The search ends at a node_modules.
function isModuleFolder(folder) {
  if (folder.endsWith('/node_modules')) return false;
  const file = path.join(folder, 'package.json');
  if (fs.existsSync(file)) {
    try {
      return JSON.parse(fs.readFileSync(file, 'utf8'))?.type === 'module';
    } catch (error) {
      console.warn(`${file} cannot be read, it will be ignored for ES module detection purposes.`, error);
      return false;
    }
  }
  return folder !== '/' && isModuleFolder(path.dirname(folder));
}

// loadModern is the order of node 24, which imports whatever there is.
async function loadModern({ require, load }, root, folder, module) {
  const file = path.resolve(root, folder, module);
  for (const extension of ['', '.js', '.mjs', '.cjs']) {
    const loaded = await imported(load, file + extension);
    if (loaded) return loaded;
  }
  return require(require.resolve(module, { paths: [root, path.join(root, folder)] }));
}

async function imported(load, file) {
  if (!fs.existsSync(file)) return undefined;
  packages.register();
  return load(pathToFileURL(file).href);
}

function findClassic(module, names) {
  return names.reduce((value, name) => value && value[name], module);
}

function findModern(module, names) {
  const inside = (start) => names.reduce((value, name) => (value && typeof value === 'object' ? value[name] : undefined), start);
  return inside(module) || (module && typeof module === 'object' && 'default' in module ? inside(module.default) : undefined);
}

function marks(handler) {
  if (!handler[STREAMING]) return { streaming: false };
  if (handler[STREAMING] !== 'response') throw Fault('MalformedStreamingHandler', 'Only response streaming is supported.');
  const mark = Number(handler[HIGH_WATER_MARK]);
  return { streaming: true, highWaterMark: mark > 0 ? mark : undefined };
}

module.exports = { setGlobals, find };
