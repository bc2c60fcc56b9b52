// What client and server share: the service as @grpc/proto-loader reads it from the .proto at run time.
'use strict';
const grpc = require('@grpc/grpc-js');
const loader = require('@grpc/proto-loader');

module.exports = (protoFile) => grpc.loadPackageDefinition(loader.loadSync(protoFile, { defaults: true })).greeter.Greeter;
