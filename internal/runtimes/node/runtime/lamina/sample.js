// The handler that a process which boots ahead runs once.
'use strict';

exports.handler = async (event, context) => ({ statusCode: 200, body: JSON.stringify(event), id: context?.awsRequestId });
