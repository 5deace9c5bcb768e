"use strict";
// The load of the callback benchmark: signed notifications over CONNECTIONS kept-alive
// connections for SECONDS, each connection one request at a time, every body different.
//   node signed_posts.js URL CONNECTIONS SECONDS SECRET
// Prints one line of JSON: requests, errors, seconds, and latencies in milliseconds.
const crypto = require("node:crypto");
const http = require("node:http");

const [url, connections, seconds, secret] = process.argv.slice(2);
const agent = new http.Agent({ keepAlive: true, maxSockets: Number(connections) });
const latencies = [];
const base = Date.now() * 1000;
let sent = 0;
let errors = 0;

function post() {
  sent += 1;
  const body = Buffer.from(
    JSON.stringify([
      {
        changed_aspect: "media",
        object: "tag",
        object_id: "benchmark",
        time: Math.floor(Date.now() / 1000),
        subscription_id: 1,
        data: { n: base + sent },
      },
    ]),
  );
  const headers = {
    "Content-Type": "application/json",
    "Content-Length": body.length,
    "X-Hub-Signature": crypto.createHmac("sha1", secret).update(body).digest("hex"),
  };
  return new Promise((resolve) => {
    const began = process.hrtime.bigint();
    const request = http.request(url, { method: "POST", agent, headers }, (answer) => {
      answer.resume();
      answer.on("end", () => {
        latencies.push(Number(process.hrtime.bigint() - began) / 1e6);
        if (answer.statusCode !== 200) errors += 1;
        resolve();
      });
    });
    request.setTimeout(10_000, () => request.destroy(new Error("too late")));
    request.on("error", () => {
      errors += 1;
      resolve();
    });
    request.end(body);
  });
}

async function main() {
  const began = process.hrtime.bigint();
  const end = Date.now() + Number(seconds) * 1000;
  const connection = async () => {
    while (Date.now() < end) await post();
  };
  await Promise.all(Array.from({ length: Number(connections) }, connection));
  const took = Number(process.hrtime.bigint() - began) / 1e9;
  latencies.sort((one, other) => one - other);
  const at = (part) => latencies[Math.floor((latencies.length - 1) * part)] ?? null;
  const said = { requests: latencies.length, errors, seconds: took };
  console.log(JSON.stringify({ ...said, p50: at(0.5), p99: at(0.99) }));
  agent.destroy();
}

main();
