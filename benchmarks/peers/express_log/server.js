"use strict";
// Takes a notification, writes it to standard output, answers. Nothing is checked and
// nothing is durable: node server.js PORT
const express = require("express");

const app = express();
app.disable("x-powered-by");
app.get("/callback", (request, response) => response.type("text").send("ready"));
app.post("/callback", express.json(), (request, response) => {
  process.stdout.write(`${JSON.stringify(request.body)}\n`);
  response.type("text").send("ok");
});
app.listen(Number(process.argv[2]), "127.0.0.1");
