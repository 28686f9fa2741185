// Loads @cdktf/provider-aws through the lazy index that it ships: a module is read
// when it is first used. Where the layout changes, nothing matches and all is loaded.
"use strict";
const Module = require("module");
const resolve = Module._resolveFilename;
const INDEX = /(@cdktf[\/\\]provider-aws[\/\\](?:.*[\/\\])?lib[\/\\])index\.js$/;
Module._resolveFilename = function (...args) {
  return resolve.apply(this, args).replace(INDEX, "$1lazy-index.js");
};
