#!/usr/bin/env node
// The FunC compiler of npm as a filter: {targets, sources} in, {version, result} out, both JSON.
"use strict";
const { readFileSync } = require("node:fs");
const { compileFunc, compilerVersion } = require("@ton-community/func-js");

(async () => {
  const request = JSON.parse(readFileSync(0, "utf8"));
  const { funcVersion } = await compilerVersion();
  const result = await compileFunc(request);
  process.stdout.write(JSON.stringify({ version: funcVersion, result }));
})();
