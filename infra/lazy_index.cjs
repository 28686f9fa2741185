// Loads the AWS provider, of CDKTF or of CDK Terrain, through the lazy index that it ships:
// a module is read when it is first used. Where the layout changes, all is loaded.
"use strict";
const Module = require("module");
const resolve = Module._resolveFilename;
const INDEX = /(@cdkt[fn][\/\\]provider-aws[\/\\](?:.*[\/\\])?lib[\/\\])index\.js$/;
Module._resolveFilename = function (...args) {
  return resolve.apply(this, args).replace(INDEX, "$1lazy-index.js");
};
