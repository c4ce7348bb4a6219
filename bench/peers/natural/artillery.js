// Artillery: its ws engine, with a processor that reads what its own steps do not, and `ensure` in the plan.

const fs = require("fs");
const { KINDS, start } = require(process.env.PEER_COMMON);

const USERS = fs.readFileSync(process.env.PEER_USERS, "utf8").trim().split("\n");
const SECONDS = Number(process.env.PEER_SECONDS || 10);
const PATIENCE_MS = 5000;

let users = 0;

function connect(options, context, next) {
  const [, token] = USERS[users++ % USERS.length].split(",");
  options.options = { ...options.options, headers: { Authorization: `Bearer ${token}` } };
  next();
}

function talk(context, events, done) {
  const { ws } = context;
  const end = Date.now() + SECONDS * 1000;
  let seen = new Set();
  let number = 0;
  let patience;

  function ask() {
    if (Date.now() >= end) {
      ws.onmessage = undefined;
      done();
      return;
    }
    seen = new Set();
    ws.send(start(++number));
    patience = setTimeout(judge, PATIENCE_MS);
  }

  function judge() {
    clearTimeout(patience);
    const whole = KINDS.every((kind) => seen.has(kind));
    events.emit("counter", whole ? "runs.passed" : "runs.failed", 1);
    ask();
  }

  ws.onmessage = (message) => {
    const event = JSON.parse(message.data);
    seen.add(event.type);
    if (event.type === "agent_completed") judge();
  };
  ask(); // the greeting may have come before this step
}

module.exports = { connect, talk };
