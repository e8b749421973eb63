// console.* as functions know it: lines with the time, the invocation and the level, or objects in JSON.
'use strict';

const fs = require('fs');
const util = require('util');
const errors = require('./errors.cjs');

const LEVELS = { TRACE: 1, DEBUG: 2, INFO: 3, WARN: 4, ERROR: 5, FATAL: 6 };
const TEXT = 0xa55a0003;
const JSONS = 0xa55a0002;

// The current invocation. On node 24 there is a mark where there is none.
const current = { request: undefined, tenant: undefined };

let asJSON = false;

// patchConsole replaces console's methods. Where the log goes is in a variable that functions do not see.
function patchConsole(modern) {
  if (modern) current.request = '-';
  asJSON = process.env.AWS_LAMBDA_LOG_FORMAT?.toUpperCase() === 'JSON';
  const name = '_LAMBDA_TELEMETRY_LOG_FD';
  const fd = parseInt(process.env[name], 10);
  delete process.env[name];
  const write = Number.isNaN(fd) ? toStdout : (level, time, text) => toFrame(fd, level, time, text);
  const least = LEVELS[process.env.AWS_LAMBDA_LOG_LEVEL?.toUpperCase()] ?? LEVELS.TRACE;
  for (const level in LEVELS) {
    const method = level.toLowerCase();
    const silent = LEVELS[level] < least && level !== 'FATAL';
    console[method] = silent ? () => {} : (message, ...more) => log(write, level, message, more);
  }
  console.log = console.info;
}

function log(write, level, message, more) {
  const time = new Date();
  if (asJSON) return write(level, time, object(time.toISOString(), level, message, more));
  write(level, time, `${time.toISOString()}\t${current.request}\t${level}\t${util.format(message, ...more)}`);
}

// An event on stdout ends with its line, so lines of one message are kept together by carriage returns.
function toStdout(level, time, text) {
  process.stdout.write(text.replace(/\n/g, '\r') + '\n');
}

function toFrame(fd, level, time, text) {
  const bytes = Buffer.from(asJSON ? text : text + '\n', 'utf8');
  const head = Buffer.allocUnsafe(16);
  head.writeUInt32BE((asJSON ? JSONS : TEXT) + (LEVELS[level] << 2), 0);
  head.writeUInt32BE(bytes.length, 4);
  head.writeBigUInt64BE(BigInt(time.getTime()) * 1000n, 8);
  const all = Buffer.concat([head, bytes]);
  for (let at = 0; at < all.length; ) {
    try {
      at += fs.writeSync(fd, all, at);
    } catch (error) {
      if (error.code !== 'EAGAIN') throw error; // the pipe is full, and somebody made it impatient
    }
  }
}

function object(timestamp, level, message, more) {
  const out = { timestamp, level, requestId: current.request };
  if (current.tenant != null && current.tenant !== '') out.tenantId = current.tenant;
  if (more.length === 0) {
    try {
      return JSON.stringify({ ...out, message }, showErrors);
    } catch {
      return JSON.stringify({ ...out, message: util.format(message) });
    }
  }
  out.message = util.format(message, ...more);
  const error = [message, ...more].find((v) => v instanceof Error);
  if (error !== undefined) Object.assign(out, parts(error, []));
  return JSON.stringify(out);
}

function parts(error, otherwise) {
  return {
    errorType: error.constructor?.name ?? 'UnknownError',
    errorMessage: error.message,
    stackTrace: typeof error.stack === 'string' ? error.stack.split('\n') : otherwise,
  };
}

function showErrors(_, value) {
  return value instanceof Error ? Object.assign(parts(value, value.stack), value) : value;
}

// logError logs an error of the function that nobody caught.
function logError(what, error) {
  if (asJSON) console.error(errors.intoError(error));
  else console.error(what, errors.formatted(errors.intoError(error)));
}

module.exports = { current, patchConsole, logError };
