// Error bodies, and how errors are logged.
'use strict';

const util = require('util');

const modern = parseInt(process.versions.node, 10) >= 24;

// Fault is a failure with a name of AWS's.
function Fault(name, message, extra) {
  const error = new (named(name))(message);
  if (modern) error.name = 'Runtime.' + name; // a member of its own, which is logged
  Error.captureStackTrace(error, Fault);
  return Object.assign(error, extra);
}

// LONGER are the faults whose classes have "Error" behind the name, from node 24 on.
const LONGER = ['HandlerNotFound', 'MalformedHandlerName', 'CallbackHandlerDeprecated'];

// named makes a class as AWS's client calls it, which JSON logs and node's last words show.
function named(name) {
  const own = modern && LONGER.includes(name) ? name + 'Error' : name;
  const made = { [own]: class extends Error {} }[own];
  made.prototype.name = 'Runtime.' + name;
  return made;
}

const UNREADABLE = 'callback called with Error argument, but there was a problem while retrieving one or more of its message, name, and stack';

// body gives the members of an error that the caller gets.
function body(error) {
  try {
    if (!isError(error)) return { errorType: typeof error, errorMessage: modern ? String(error) : error.toString(), trace: [] };
    return {
      errorType: clean(error.name),
      errorMessage: clean(error.message),
      trace: modern ? clean(error.stack)?.split('\n') || [] : clean(error.stack).split('\n'),
    };
  } catch {
    const unreadable = { errorType: 'handled', errorMessage: UNREADABLE };
    return modern ? { ...unreadable, trace: [] } : unreadable;
  }
}

function isError(error) {
  if (modern) return error instanceof Error;
  if (util.types.isNativeError(error)) return true;
  return Boolean(error) && ['name', 'message', 'stack'].every((k) => error[k] && typeof error[k] === 'string');
}

const LONGEST_CAUSE = 65536; // what X-Ray keeps of one

// cause gives the headers of an invocation's error that tell X-Ray where it comes from: whose frames are on the stack.
function cause(error) {
  const text = causeText(error);
  return text === '' || Buffer.byteLength(text) > LONGEST_CAUSE ? {} : { 'Lambda-Runtime-Function-XRay-Error-Cause': text };
}

function causeText(error) {
  try {
    const stack = error.stack ? clean(error.stack).split('\n').slice(1).map(frame) : [];
    const exceptions = [{ type: clean(error.name), message: clean(error.message), stack }];
    return JSON.stringify({ working_directory: process.cwd(), exceptions, paths: [...new Set(stack.map(({ path }) => path))] });
  } catch {
    return '';
  }
}

// frame takes "at label (path:line:column)" apart.
function frame(text) {
  const words = text.trim().replace(/[()]/g, '');
  const call = words.slice(words.indexOf(' ') + 1);
  const space = call.lastIndexOf(' ');
  const [path, line] = call.slice(space + 1).split(':');
  return { path, line: parseInt(line, 10), label: (space > 0 && call.slice(0, space)) || 'anonymous' };
}

// A header cannot carry DEL.
function clean(text) {
  return text?.replaceAll('\x7f', '%7F');
}

// formatted gives the text with which an error is logged: with all that the function put on it.
function formatted(error) {
  try {
    return '\t' + JSON.stringify(error, (_, value) => (value instanceof Error ? whole(value) : value));
  } catch {
    return '\t' + JSON.stringify(body(error));
  }
}

function whole(error) {
  const out = Object.assign({ errorType: error.name, errorMessage: error.message, code: error.code }, error);
  if (typeof error.stack === 'string') out.stack = error.stack.split('\n');
  return out;
}

function intoError(error) {
  return error instanceof Error ? error : new Error(modern ? String(error) : error);
}

// hint says on stderr how to get AWS's SDK, when that is what is missing. The error itself stays AWS's.
function hint(error) {
  const missing = missingSDK(error);
  if (missing === undefined) return;
  const runtime = `nodejs${parseInt(process.versions.node, 10)}.x`;
  const there = require('fs').existsSync((process.env.LAMBDA_RUNTIME_DIR || '/var/runtime') + '/node_modules/@aws-sdk');
  process.stderr.write(
    there
      ? `LAMINA_HINT ${missing} is not among the clients of AWS's SDK that \`lamina runtime add\` installs: put it into the function or a layer.\n`
      : `LAMINA_HINT ${missing} is part of AWS's SDK, which AWS's ${runtime} has and this one does not have yet: \`lamina runtime add ${runtime}\` adds it.\n`,
  );
}

// missingSDK gives the package of AWS's SDK that an error misses.
function missingSDK(error) {
  try {
    if (!/MODULE_NOT_FOUND$/.test(error.code)) return undefined;
    return /Cannot find (?:module|package) '((?:@aws-sdk|@smithy)\/[^/']+)/.exec(error.message)?.[1];
  } catch {
    return undefined; // it is no object, or cannot be read
  }
}

module.exports = { Fault, body, cause, formatted, intoError, hint };
