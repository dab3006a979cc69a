import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { AGENT_ID, startAgent } from './agent-child.mjs';
import { machineEnv } from './child-process.mjs';
import { STOCKS, STOCKS_REBUILT } from './jobs.mjs';
import { ESCALATION_OF, timeLine } from './time-line.mjs';

const DECIDED_WITHIN_MS = 60_000;

/**
 * A job fails because its target has drifted, an agent in a process of its own decides, and the job ends well.
 *
 * @param stage `session` of the demonstration, what it can do (`say`, `launch`, `follow`), and its `gateway`
 */
export async function escalationAct({ session, say, launch, follow, gateway }) {
  say('   Another team has rebuilt the table "stocks": its dates were text once, and are dates now.');
  await follow(await launch(STOCKS_REBUILT));

  say(`\n   An agent starts, a process of its own: saveAgentContact says by which webhook ${AGENT_ID} is reached.`);
  const onLine = (line) => session.reporter.remark(`   ${AGENT_ID} ${line}`);
  const agent = startAgent({ ...gateway, onLine });
  try {
    await Promise.race([agent.ready, agent.died]);
    say('   The nightly pipeline has not heard of it, and still delivers text such as "Jan 1 2000".');
    const jobId = await launch(STOCKS);
    await decided({ session, agent, jobId, finished: follow(jobId, { waitForDecision: true }) });
    const { job } = await escalationOf(session, jobId);
    say('\n   Who did what, and when (UTC)');
    for (const line of timeLine(job)) say(`   ${line}`);
    say(`   sluice audit verify: ${await auditVerify(gateway)}`);
  } finally {
    await agent.stop();
  }
}

const escalationOf = (session, id) => session.api.request({ text: ESCALATION_OF }, { id });

/** Waits for the end of the job; without an agent it would not come. */
async function decided({ session, agent, jobId, finished }) {
  // Whoever loses the race below must not end the process.
  finished.catch(() => {});
  const stranded = async (error) => {
    const [escalation] = (await escalationOf(session, jobId)).job.escalations;
    if (escalation?.verdict) return finished;
    error.message += ' The job stays held; run the demonstration again, and the agent catches up.';
    throw error;
  };
  await Promise.race([
    finished,
    agent.died.catch(stranded),
    sleep(DECIDED_WITHIN_MS, undefined, { ref: false }).then(() =>
      stranded(new Error('Nobody has decided for a minute.')),
    ),
  ]);
}

/** The command that anybody can run. @returns what it prints */
async function auditVerify({ root, home, url }) {
  const args = [join(root, 'dist', 'src', 'main.js'), 'audit', 'verify', '--url', url];
  const { stdout } = await promisify(execFile)(process.execPath, args, { env: { ...machineEnv(), SLUICE_HOME: home } });
  return stdout.trim();
}
