// What node is started with. Everything is in lamina/; the require made here is also the one that loads the function's
// code, so that error messages name this file, as on AWS.
import { createRequire } from 'node:module';

const require = createRequire(import.meta.url);
const { boot, start, waits } = require('./lamina/main.cjs');
const ahead = boot();
if (ahead) await ahead;
const started = start(require);
if (waits) await started;
