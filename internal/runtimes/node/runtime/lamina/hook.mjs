// The resolve hook for nodes before 22.15, which runs in a thread of its own.
import { createRequire } from 'node:module';

const { parents } = createRequire(import.meta.url)('./packages.cjs');

export async function resolve(specifier, context, next) {
  try {
    return await next(specifier, context);
  } catch (error) {
    if (error.code !== 'ERR_MODULE_NOT_FOUND') throw error;
    const [parentURL] = parents(specifier);
    if (parentURL === undefined) throw error;
    return next(specifier, { ...context, parentURL });
  }
}
