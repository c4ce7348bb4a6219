// What the scripts in JavaScript share. CommonJS, and nothing that k6 has not.

const KINDS = ["agent_started", "agent_thinking", "tool_executing", "tool_completed", "agent_completed"];

function start(number) {
  const payload = { user_request: "Where does the money go?", request_id: `q-${number}`, agent_name: "scripted" };
  return JSON.stringify({ type: "start_agent", payload });
}

module.exports = { KINDS, start };
