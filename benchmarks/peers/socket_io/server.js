// The peer: photos come in by POST and are emitted to every viewer, one event each.
const express = require("express");
const http = require("http");
const { Server } = require("socket.io");

const app = express();
app.use(express.json({ limit: "50mb" }));
const server = http.createServer(app);
const io = new Server(server, { transports: ["websocket"], perMessageDeflate: false });

app.get("/", (_, response) => response.send("ready"));
app.post("/photos", (request, response) => {
  for (const photo of request.body) io.emit("photo", photo);
  response.send("emitted");
});
server.listen(Number(process.argv[2]), "127.0.0.1");
