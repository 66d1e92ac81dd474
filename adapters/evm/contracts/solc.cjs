#!/usr/bin/env node
// The compiler of npm under the command line forge and build.py expect of a native `solc`.
"use strict";
const { readFileSync } = require("node:fs");
const solc = require("solc");

if (process.argv.includes("--version")) {
  process.stdout.write(`solc, the solidity compiler commandline interface\nVersion: ${solc.version()}\n`);
} else if (process.argv.includes("--standard-json")) {
  process.stdout.write(solc.compile(readFileSync(0, "utf8")));
} else {
  process.stderr.write("solc.cjs: only --version and --standard-json are supported\n");
  process.exit(2);
}
