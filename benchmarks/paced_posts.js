"use strict";
// A storm: COUNT signed notifications in SECONDS, sent when they are due whether or not
// the earlier ones are answered, over kept-alive connections, every body different.
//   node paced_posts.js URL COUNT SECONDS SECRET TAG
// Prints one line of JSON: requests, errors (by what was said), seconds, and latencies
// in milliseconds from when a notification was due.
const crypto = require("node:crypto");
const http = require("node:http");

const [url, count, seconds, secret, tag] = process.argv.slice(2);
const agent = new http.Agent({ keepAlive: true, maxSockets: 256 });
const latencies = [];
const errors = {};
const base = Date.now() * 1000;

function post(number, due) {
  const said = { changed_aspect: "media", object: "tag", object_id: tag };
  const more = { time: Math.floor(Date.now() / 1000), subscription_id: 1 };
  const body = Buffer.from(JSON.stringify([{ ...said, ...more, data: { n: base + number } }]));
  const headers = {
    "Content-Type": "application/json",
    "Content-Length": body.length,
    "X-Hub-Signature": crypto.createHmac("sha1", secret).update(body).digest("hex"),
  };
  const failed = (why) => {
    errors[why] = (errors[why] ?? 0) + 1;
  };
  return new Promise((resolve) => {
    const request = http.request(url, { method: "POST", agent, headers }, (answer) => {
      answer.resume();
      answer.on("end", () => {
        latencies.push(performance.now() - due);
        if (answer.statusCode !== 200) failed(answer.statusCode);
        resolve();
      });
    });
    request.setTimeout(30_000, () => request.destroy(new Error("too late")));
    request.on("error", (error) => {
      failed(error.code ?? error.message);
      resolve();
    });
    request.end(body);
  });
}

async function main() {
  const began = performance.now();
  const sent = [];
  while (sent.length < Number(count)) {
    const now = performance.now();
    const due = () => began + (sent.length * Number(seconds) * 1000) / Number(count);
    while (sent.length < Number(count) && due() <= now) sent.push(post(sent.length, due()));
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
  await Promise.all(sent);
  const took = (performance.now() - began) / 1000;
  latencies.sort((one, other) => one - other);
  const at = (part) => latencies[Math.floor((latencies.length - 1) * part)] ?? null;
  const said = { requests: latencies.length, errors, seconds: took };
  console.log(JSON.stringify({ ...said, p50: at(0.5), p99: at(0.99), worst: at(1) }));
  agent.destroy();
}

main();
