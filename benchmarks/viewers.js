// Many viewers in one process, the same for both servers: plain `ws` sockets that look for the
// photos' marks in the bytes of every message and parse nothing else.
//
//     node viewers.js <photowall|socket.io> <url> <viewers> <photos>
//
// Prints "ready" when all are connected. Then a line "expect <round>" on stdin starts a round and
// "done <start in ms>" asks for its figures, latencies from that start on, as one line of JSON.
const { createInterface } = require("readline");
const WebSocket = require(require.resolve("ws", { paths: [process.cwd()] }));

const [kind, url, viewersText, photosText] = process.argv.slice(2);
const viewers = Number(viewersText);
const photos = Number(photosText);
const origin = new URL(url.replace("ws", "http")).origin;
const MARK = Buffer.from("photo-");
const DASH = 45;
const ZERO = 48;
const ACK_MS = 2000;

let round = -1;
let arrived = []; // per viewer: time of each photo, 0 = not yet
let missing = 0;
let doubled = 0;
let closed = 0;
const now = () => performance.timeOrigin + performance.now();

function take(viewer, data) {
  const at = now();
  for (let from = data.indexOf(MARK); from >= 0; from = data.indexOf(MARK, from + 12)) {
    let place = from + MARK.length;
    let of = 0;
    let number = 0;
    while (data[place] !== DASH) of = of * 10 + data[place++] - ZERO;
    place += 1;
    while (data[place] !== DASH) number = number * 10 + data[place++] - ZERO;
    if (of !== round) continue;
    if (arrived[viewer][number]) doubled += 1;
    else {
      arrived[viewer][number] = at;
      missing -= 1;
    }
  }
}

function connect(viewer) {
  return new Promise((resolve, reject) => {
    const socket = new WebSocket(url, { origin, perMessageDeflate: false });
    let cursor = 0;
    let due = false;
    socket.on("error", reject);
    socket.on("close", () => (closed += 1));
    socket.on("message", (data) => {
      if (kind === "socket.io") {
        // Engine.IO 4: 0 open, 2 ping; Socket.IO: 40 connected, 42 event.
        const type = data[0];
        if (type === 48) socket.send("40");
        else if (type === 50) socket.send("3");
        else if (data[1] === 48) resolve(socket);
        else take(viewer, data);
        return;
      }
      // {"type":"frames","cursor":17,…: the head is all that is read of our protocol.
      const head = /"type":"(\w+)","cursor":(\d+)/.exec(data.toString("latin1", 0, 60));
      if (head[1] === "hello") resolve(socket);
      else if (head[1] === "ping") socket.send('{"type":"pong"}');
      else if (head[1] === "frames") {
        take(viewer, data);
        cursor = Number(head[2]);
        if (!due) {
          due = true;
          setTimeout(() => {
            due = false;
            if (socket.readyState === 1) socket.send(`{"type":"ack","cursor":${cursor}}`);
          }, ACK_MS);
        }
      }
    });
  });
}

function figures(start) {
  const latencies = new Float64Array(viewers * photos - missing);
  let count = 0;
  for (const times of arrived) for (const at of times) if (at) latencies[count++] = at - start;
  latencies.sort();
  const share = (q) => latencies[Math.min(count - 1, Math.floor(count * q))] ?? null;
  return { lost: missing, doubled, closed, p50: share(0.5), p99: share(0.99), last: share(1) };
}

async function main() {
  for (let first = 0; first < viewers; first += 50) {
    const some = [];
    for (let n = first; n < Math.min(first + 50, viewers); n += 1) some.push(connect(n));
    await Promise.all(some);
  }
  console.log("ready");
  for await (const line of createInterface({ input: process.stdin })) {
    const [word, value] = line.split(" ");
    if (word === "expect") {
      round = Number(value);
      arrived = Array.from({ length: viewers }, () => new Float64Array(photos));
      missing = viewers * photos;
      doubled = 0;
      console.log("ready");
    } else {
      const deadline = now() + 60000;
      let quiet = 0;
      for (let before = missing; missing && now() < deadline && quiet < 100; before = missing) {
        await new Promise((resolve) => setTimeout(resolve, 100));
        quiet = before === missing ? quiet + 1 : 0;
      }
      console.log(JSON.stringify(figures(Number(value))));
    }
  }
  process.exit(0);
}

main();
