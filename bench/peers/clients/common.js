// What the JavaScript peers share (k6, Node, Artillery): the same users and requests as common.py.
// CommonJS, and nothing that k6 has not.

const TOKEN = "peercanaryABCDEFGHIJKLMNOPQR";

// Base64url of ASCII text; k6 has no Buffer, Node's older releases no btoa.
function base64url(text) {
  const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  let out = "";
  for (let i = 0; i < text.length; i += 3) {
    const [a, b, c] = [text.charCodeAt(i), text.charCodeAt(i + 1), text.charCodeAt(i + 2)];
    out += letters[a >> 2] + letters[((a & 3) << 4) | (b >> 4)];
    if (i + 1 < text.length) out += letters[((b & 15) << 2) | (c >> 6)];
    if (i + 2 < text.length) out += letters[c & 63];
  }
  return out;
}

function login(user) {
  return { Authorization: `Bearer e30.${base64url(JSON.stringify({ sub: user }))}.x` };
}

function request(user, number) {
  const nonce = `${user}.0.${number}`;
  return JSON.stringify({
    type: "start_agent",
    payload: {
      user_request: `Where does the money go this month? ${TOKEN}`,
      request_id: `q-${nonce}`,
      thread_id: `t-${nonce}`,
      agent_name: "scripted",
      context: { canary: TOKEN, nonce },
    },
  });
}

// The line that the comparison reads.
function said(p50_ms, p99_ms) {
  return JSON.stringify({ peer: true, p50_ms: p50_ms ?? null, p99_ms: p99_ms ?? null }) + "\n";
}

module.exports = { login, request, said };
