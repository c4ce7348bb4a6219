// k6: a virtual user for each socket, a check for each kind of event, a threshold on the checks.
//
//   PEER_TARGET=ws://127.0.0.1:8765/ws PEER_USERS=users.csv k6 run bench/peers/natural/k6.js

import { check } from "k6";
import { WebSocket } from "k6/experimental/websockets";

const { KINDS, start } = require("./common.js");

const USERS = open(__ENV.PEER_USERS).trim().split("\n");
const SECONDS = Number(__ENV.PEER_SECONDS || 10);
const PATIENCE_MS = 5000;

export const options = {
  scenarios: {
    users: { executor: "per-vu-iterations", vus: USERS.length, iterations: 1, maxDuration: "10m" },
  },
  thresholds: { checks: ["rate==1"] },
};

export default function () {
  const [, token] = USERS[__VU - 1].split(",");
  const socket = new WebSocket(__ENV.PEER_TARGET, null, { headers: { Authorization: `Bearer ${token}` } });
  const end = Date.now() + SECONDS * 1000;
  let seen = new Set();
  let number = 0;
  let patience;

  function ask() {
    if (Date.now() >= end) {
      socket.close();
      return;
    }
    seen = new Set();
    socket.send(start(++number));
    patience = setTimeout(() => judge(), PATIENCE_MS);
  }

  function judge() {
    clearTimeout(patience);
    check(seen, Object.fromEntries(KINDS.map((kind) => [kind, (kinds) => kinds.has(kind)])));
    ask();
  }

  socket.onmessage = (message) => {
    const event = JSON.parse(message.data);
    if (event.type === "connection_established") ask();
    seen.add(event.type);
    if (event.type === "agent_completed") judge();
  };
}

export function handleSummary(data) {
  const checks = data.metrics.checks ? data.metrics.checks.values : { passes: 0, fails: 0 };
  return { stdout: JSON.stringify({ passed: checks.passes, failed: checks.fails }) + "\n" };
}
