// The peer `node ws`: the library ws under Node, nothing else.

const WebSocket = require("ws");

const { login, request, said } = require("./common.js");

const SOCKETS = Number(process.env.PEER_SOCKETS || 100);
const SECONDS = Number(process.env.PEER_SECONDS || 10);
const OPENING_AT_ONCE = 50;

const times = [];
let opened = 0;
let left = SOCKETS;

function dial() {
  if (opened === SOCKETS) return;
  const user = `u0-${opened++}`;
  const socket = new WebSocket(process.env.PEER_TARGET, { headers: login(user), perMessageDeflate: false });
  let number = 0;
  let began = 0;
  let end = 0;

  function ask(now) {
    if (now >= end) {
      socket.close();
      return;
    }
    began = now;
    socket.send(request(user, ++number));
  }

  socket.on("open", dial);
  socket.on("message", (data) => {
    const event = JSON.parse(data);
    if (event.type === "agent_completed") {
      const now = performance.now();
      times.push(now - began);
      ask(now);
    } else if (event.type === "connection_established") {
      const now = performance.now();
      end = now + SECONDS * 1000;
      ask(now);
    }
  });
  socket.on("error", (error) => {
    console.error(String(error));
    process.exit(1);
  });
  socket.on("close", () => {
    if (--left === 0) finish();
  });
}

function finish() {
  const sorted = Float64Array.from(times).sort();
  const at = (q) => sorted[Math.min(sorted.length - 1, Math.floor(q * sorted.length))];
  process.stdout.write(said(at(0.5), at(0.99)));
}

for (let i = 0; i < OPENING_AT_ONCE; i++) dial();
