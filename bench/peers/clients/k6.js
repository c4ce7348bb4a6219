// The peer `k6`: one virtual user for each socket; with PEER_CHECKS=1 two checks an event (order and owner).
//
//   PEER_TARGET=ws://127.0.0.1:8765/ws k6 run -q bench/peers/clients/k6.js

import { check } from "k6";
import { Trend } from "k6/metrics";
import { WebSocket } from "k6/experimental/websockets";

const { login, request, said } = require("./common.js");

const SOCKETS = Number(__ENV.PEER_SOCKETS || 100);
const SECONDS = Number(__ENV.PEER_SECONDS || 10);
const CHECKS = __ENV.PEER_CHECKS === "1";

const runTime = new Trend("run_ms", true);

export const options = {
  scenarios: {
    peer: { executor: "per-vu-iterations", vus: SOCKETS, iterations: 1, maxDuration: "1h" },
  },
  summaryTrendStats: ["med", "p(99)"],
};

export default function () {
  const user = `u0-${__VU}`;
  const socket = new WebSocket(__ENV.PEER_TARGET, null, { headers: login(user) });
  let number = 0;
  let seq = 0;
  let began = 0;
  let end = 0;

  function ask() {
    began = Date.now();
    if (began >= end) {
      socket.close();
      return;
    }
    seq = 0;
    socket.send(request(user, ++number));
  }

  socket.onmessage = (message) => {
    const event = JSON.parse(message.data);
    if (event.type === "connection_established") {
      end = Date.now() + SECONDS * 1000;
      ask();
      return;
    }
    if (CHECKS && event.seq) {
      seq += 1;
      check(event, { order: (e) => e.seq === seq, owner: (e) => e.user_id === user });
    }
    if (event.type === "agent_completed") {
      runTime.add(Date.now() - began);
      ask();
    }
  };
}

export function handleSummary(data) {
  const runs = data.metrics.run_ms;
  return { stdout: runs ? said(runs.values.med, runs.values["p(99)"]) : said() };
}
