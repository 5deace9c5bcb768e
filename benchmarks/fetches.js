// Fetches files over HTTP as fast as they come, on so many lines kept open.
// node fetches.js PORT SECONDS CONNECTIONS < paths, one a line. Prints one JSON line.
"use strict";
const http = require("http");
const fs = require("fs");

const [port, seconds, connections] = process.argv.slice(2).map(Number);
const paths = fs.readFileSync(0, "utf8").trim().split("\n");
const agent = new http.Agent({ keepAlive: true, maxSockets: connections });
const took = [];
let errors = 0;
let bytes = 0;
let next = 0;
let running = connections;
const began = process.hrtime.bigint();
const end = Date.now() + seconds * 1000;

function one() {
  if (Date.now() >= end) {
    running -= 1;
    if (running === 0) report();
    return;
  }
  const path = paths[next++ % paths.length];
  const start = process.hrtime.bigint();
  const request = http.get({ host: "127.0.0.1", port, path, agent }, (response) => {
    let size = 0;
    response.on("data", (piece) => { size += piece.length; });
    response.on("end", () => {
      if (response.statusCode !== 200 || size !== Number(response.headers["content-length"])) {
        errors += 1;
      }
      bytes += size;
      took.push(Number(process.hrtime.bigint() - start) / 1e6);
      one();
    });
  });
  request.on("error", () => { errors += 1; one(); });
}

function report() {
  took.sort((a, b) => a - b);
  const at = (share) => took[Math.min(took.length - 1, Math.floor(took.length * share))] || 0;
  const elapsed = Number(process.hrtime.bigint() - began) / 1e9;
  console.log(JSON.stringify({
    requests: took.length, errors, bytes, seconds: elapsed, p50: at(0.5), p99: at(0.99),
  }));
  process.exit(0);
}

for (let index = 0; index < connections; index += 1) one();
