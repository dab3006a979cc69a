import { ERROR_CODES } from '../../src/core/errors.js';

const AUDIENCES = {
  user: ['What a caller can mend', 'Answered as `userErrors` of a mutation, or as the error of a failed job.'],
  access: ['Access and limits', 'Answered as a GraphQL error with `extensions.code`.'],
  system: [
    'The service itself',
    'Answered as a GraphQL error with `extensions.code`, or as the error of a failed job.',
  ],
} as const;

/** docs/errors.md, from the one table of codes. */
export function errorDocs(): string {
  const sections = Object.entries(AUDIENCES).flatMap(([audience, [title, introduction]]) => {
    const rows = Object.entries(ERROR_CODES)
      .filter(([, entry]) => entry.audience === audience)
      .map(([code, { failureClass, meaning }]) => `| \`${code}\` | \`${failureClass}\` | ${meaning} |`);
    return [`## ${title}`, '', introduction, '', '| code | class | meaning |', '|---|---|---|', ...rows, ''];
  });
  const introduction =
    'Every error that leaves Sluice has one of these codes. The class says how a failed job is handled: whether it is tried again, and whom an escalation asks.';
  return [
    '# Error codes',
    '',
    '<!-- Generated from src/core/errors.ts by npm run generate. -->',
    '',
    introduction,
    '',
    ...sections,
  ].join('\n');
}
