// awslambda.InvokeStore: what belongs to the current invocation, for libraries that are called without the context.
'use strict';

const PROTECTED_KEYS = {
  REQUEST_ID: Symbol.for('_AWS_LAMBDA_REQUEST_ID'),
  X_RAY_TRACE_ID: Symbol.for('_AWS_LAMBDA_X_RAY_TRACE_ID'),
  TENANT_ID: Symbol.for('_AWS_LAMBDA_TENANT_ID'),
};

let values;

const store = {
  getContext: () => values,
  hasContext: () => values !== undefined,
  get: (key) => values?.[key],
  set(key, value) {
    if (Object.values(PROTECTED_KEYS).includes(key)) throw new Error(`Cannot modify protected Lambda context field: ${String(key)}`);
    (values ??= {})[key] = value;
  },
  run(context, work) {
    values = context;
    return work();
  },
  isProtectedKey: (key) => Object.values(PROTECTED_KEYS).includes(key),
  getRequestId: () => store.get(PROTECTED_KEYS.REQUEST_ID) ?? '-',
  getXRayTraceId: () => store.get(PROTECTED_KEYS.X_RAY_TRACE_ID),
  getTenantId: () => store.get(PROTECTED_KEYS.TENANT_ID),
};

// of gives the values of an invocation.
function of(headers) {
  return {
    [PROTECTED_KEYS.REQUEST_ID]: headers['lambda-runtime-aws-request-id'],
    [PROTECTED_KEYS.X_RAY_TRACE_ID]: headers['lambda-runtime-trace-id'],
    [PROTECTED_KEYS.TENANT_ID]: headers['lambda-runtime-aws-tenant-id'],
  };
}

module.exports = Object.assign(Object.create({ of }), store);
