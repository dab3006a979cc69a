// The way of an escalation, read from its log and its job, as lines.

export const ESCALATION_OF = `query ($id: ID!) {
  job(id: $id) {
    finishedAt progress { rowsLoaded }
    escalations { verdict { id } log { at kind actor agents { id name } data } }
  }
}`;

const TOLD = {
  OPEN: ({ agents }) => `the job fails: ${agents.map(({ id, name }) => `${id}, ${name}`).join('; ')}, is asked`,
  DELIVERED: ({ agents, data }) =>
    `${agents.map(({ id }) => id).join(', ')} is reached by ${data.channel.toLowerCase()}`,
  ACKNOWLEDGE: ({ actor }) => `${actor} acknowledges`,
  DECIDE: ({ actor, data }) => `${actor} decides ${data.event.verdict.kind}`,
  APPLIED: () => 'the verdict is applied: the job begins anew',
};

/** @param job as `ESCALATION_OF` answers it */
export function timeLine({ finishedAt, progress, escalations: [escalation] }) {
  const began = Date.parse(escalation.log[0].at);
  const entries = [
    ...escalation.log.flatMap((entry) => (TOLD[entry.kind] ? [[entry.at, TOLD[entry.kind](entry)]] : [])),
    [finishedAt, `${progress.rowsLoaded} rows are loaded`],
  ];
  return entries.map(([at, text]) => {
    const after = `+${Math.max(0, Date.parse(at) - began)} ms`;
    return `${at.slice(11, 23)}  ${after.padStart(8)}  ${text}`;
  });
}
