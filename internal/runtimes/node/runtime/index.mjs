// What node is started with. Everything is in lamina/; the require and the import made here are also the ones that load the
// function's code, so that error messages name this file, as on AWS.
import { createRequire } from 'node:module';

const require = createRequire(import.meta.url);
const { boot, start, waits } = require('./lamina/main.cjs');
const ahead = boot();
if (ahead) await ahead;
const started = start({ require, load: (url) => import(url) });
if (waits) await started;
