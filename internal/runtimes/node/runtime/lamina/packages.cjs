// import of packages that lie in layers. Node looks at NODE_PATH for require only; AWS's node does so for import too.
'use strict';

const fs = require('fs');
const Module = require('module');
const { pathToFileURL } = require('url');

// prepare makes import look at NODE_PATH, if there is anything to be found there. Where node can only do that with a thread
// of its own, which costs as much as the rest of a cold start, it waits until somebody imports.
function prepare() {
  if (folders().length === 0) return;
  if (Module.registerHooks) Module.registerHooks({ resolve });
  else if (Module.register) watch();
}

// folders gives NODE_PATH's folders, without the function's own and the runtime's, which hold no packages.
function folders() {
  const own = [process.env.LAMBDA_TASK_ROOT || '/var/task', process.env.LAMBDA_RUNTIME_DIR || '/var/runtime'];
  return (process.env.NODE_PATH || '').split(':').filter((dir) => dir.startsWith('/') && !own.includes(dir) && fs.existsSync(dir));
}

const PACKAGE = /^(@[^/]+\/)?[^@./#:][^/:]*(?=\/|$)/;

// parents gives the modules that would find a specifier's package first in a folder of NODE_PATH.
function parents(specifier) {
  const name = PACKAGE.exec(specifier)?.[0];
  if (name === undefined) return [];
  return folders()
    .filter((dir) => dir.endsWith('/node_modules') && fs.existsSync(dir + '/' + name))
    .map((dir) => pathToFileURL(dir.slice(0, -'node_modules'.length) + '_').href);
}

// resolve is the hook for node 22.15 and newer.
function resolve(specifier, context, next) {
  if (context.conditions.includes('require')) return next(specifier, context);
  try {
    return next(specifier, context);
  } catch (error) {
    if (error.code !== 'ERR_MODULE_NOT_FOUND') throw error;
    const [parentURL] = parents(specifier);
    if (parentURL === undefined) throw error;
    return next(specifier, { ...context, parentURL });
  }
}

let registered = false;

function register() {
  if (registered || !Module.register || Module.registerHooks || folders().length === 0) return;
  registered = true;
  Module.register(pathToFileURL(__dirname + '/hook.mjs').href);
}

// watch registers the hook when a module that says import( is about to run.
function watch() {
  const compile = Module.prototype._compile;
  Module.prototype._compile = function (source, ...more) {
    if (source.includes('import(')) {
      Module.prototype._compile = compile;
      register();
    }
    return compile.call(this, source, ...more);
  };
}

module.exports = { prepare, register, parents, folders };
