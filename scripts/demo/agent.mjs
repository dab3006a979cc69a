// The agent of the demonstration, a process of its own. It knows the gateway by an address and a token, is called by
// signed webhooks and acts through GraphQL, as any agent of yours can. Prints `ready`, and then what it does.
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { Webhook } from 'standardwebhooks';
import { createGraphql, Refused, written } from './graphql.mjs';
import { mendTarget } from './mend-target.mjs';

const { AGENT_ID: agent, GATEWAY_URL: url, GATEWAY_TOKEN: token } = process.env;
const graphql = createGraphql({ url, token });
const secret = `whsec_${randomBytes(32).toString('base64')}`;
const webhook = new Webhook(secret);
const LATE = ['CONFLICT', 'ESCALATION_CLOSED', 'NOT_ASKED'];
const say = (text) => process.stdout.write(`${text}\n`);

const write = async (mutation, input, fields = 'escalation { version }') => {
  const type = `${mutation[0].toUpperCase()}${mutation.slice(1)}Input`;
  const text = `mutation ($input: ${type}!) { answer: ${mutation}(input: $input) { ${fields} userErrors { code message } } }`;
  return written((await graphql(text, { input: { agent, ...input } })).answer);
};

const saveContact = (address, isEnabled) =>
  write('saveAgentContact', { channel: 'WEBHOOK', address, isEnabled, secret }, 'contact { updatedAt }');

/** Escalations that it has in hand. */
const busyWith = new Set();

/** @param how it has come to know of it */
async function decide(id, how) {
  if (busyWith.has(id)) return;
  busyWith.add(id);
  try {
    await mend(id, how);
  } catch (error) {
    // Somebody else was first, whoever that is: theirs counts.
    if (!(error instanceof Refused) || !error.codes.some((code) => LATE.includes(code))) throw error;
    say(`leaves it to others: ${error.message}`);
  } finally {
    busyWith.delete(id);
  }
}

async function mend(id, how) {
  const question = 'query ($id: ID!) { escalation(id: $id) { version title evidence allowedVerdicts } }';
  const { escalation } = await graphql(question, { id });
  // A call can come after the decision.
  if (escalation.allowedVerdicts.length === 0) return;
  say(how);
  say(`reads what it is asked: ${escalation.title}`);
  const acknowledged = await write('acknowledgeEscalation', { id, expectedVersion: escalation.version });
  say('acknowledges: everybody sees that somebody is on it');
  const seen = { id, expectedVersion: acknowledged.escalation.version };
  const canPatch = escalation.allowedVerdicts.includes('PATCH_SPEC');
  const mended = canPatch ? await mendTarget(escalation.evidence, graphql) : null;
  if (mended === null) {
    await write('escalate', { ...seen, comment: 'I know no way to mend that.' });
    return say('knows no way to mend that, and hands it up');
  }
  say(`reads the evidence: ${mended.found}`);
  say(`tries what may mend it: ${mended.tried}`);
  await write('submitVerdict', { ...seen, kind: 'PATCH_SPEC', patch: mended.patch, comment: mended.tried });
  say('decides: PATCH_SPEC');
}

/** Calls are for what begins while somebody listens. This is what was asked before, and may be with the CEO by now. */
async function leftOpen() {
  const question = `{ escalations(first: 100, filter: {
    failureClasses: [PIPELINE_DECISION], statuses: [ASKING, ACKNOWLEDGED, CLAIMED, SNOOZED, HELD]
  }) { edges { node { id } } } }`;
  return (await graphql(question)).escalations.edges.map(({ node }) => node);
}

const known = new Set();

async function receive(request) {
  const chunks = [];
  for await (const chunk of request) chunks.push(chunk);
  let message;
  try {
    message = webhook.verify(Buffer.concat(chunks), request.headers);
  } catch {
    say('turns away a call that is not signed with its secret');
    return 401;
  }
  // A call whose answer gets lost is repeated under the same id.
  const id = request.headers['webhook-id'];
  if (message.type === 'escalation.asked' && !known.has(id)) {
    known.add(id);
    decide(message.data.escalationId, 'is called by a webhook, signed as it should be').catch(fail);
  }
  return 204;
}

function fail(error) {
  console.error(error);
  process.exit(1);
}

const server = createServer((request, response) => {
  receive(request).then(
    (status) => response.writeHead(status).end(),
    () => response.destroy(),
  );
}).listen(0, '127.0.0.1');
await once(server, 'listening');
const address = `http://127.0.0.1:${server.address().port}/`;

let isLeaving = false;
function leave() {
  if (isLeaving) return;
  isLeaving = true;
  // Nobody is to call an address at which nobody listens.
  saveContact(address, false).then(
    () => process.exit(0),
    () => process.exit(0),
  );
}
process.on('SIGTERM', leave);
// Whoever started us holds the other end, however it goes away.
process.stdin.on('end', leave).resume();

try {
  await saveContact(address, true);
  for (const { id } of await leftOpen()) await decide(id, 'finds what was asked before it was there');
  say('ready');
} catch (error) {
  fail(error);
}
