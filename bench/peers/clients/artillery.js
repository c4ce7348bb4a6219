// The processor of the peer `artillery`: it owns the socket's messages, for Artillery's own steps read one a send.

const { login, request } = require(process.env.PEER_COMMON);

const SECONDS = Number(process.env.PEER_SECONDS || 10);

let users = 0;

function connect(options, context, next) {
  context.vars.user = `u0-${users++}`;
  options.options = { ...options.options, headers: login(context.vars.user), perMessageDeflate: false };
  next();
}

function talk(context, events, done) {
  const { ws, vars } = context;
  let number = 0;
  let began = 0;
  let end = 0;

  function ask() {
    began = performance.now();
    if (began >= end) {
      ws.onmessage = undefined;
      done();
      return;
    }
    ws.send(request(vars.user, ++number));
  }

  ws.onmessage = (message) => {
    const event = JSON.parse(message.data);
    if (event.type === "agent_completed") {
      events.emit("histogram", "run_ms", performance.now() - began);
      ask();
    } else if (event.type === "connection_established") {
      end = performance.now() + SECONDS * 1000;
      ask();
    }
  };
}

module.exports = { connect, talk };
