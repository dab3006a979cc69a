import { stringify } from 'yaml';
import { type Connector, describeConnectors } from '../../src/jobs/connectors.js';

const TITLES = [
  ['SOURCE', 'Sources', 'source', 'Where the rows come from. Exactly one per pipeline.'],
  ['STEP', 'Steps', 'steps', 'What is done to the rows, in the order of the list.'],
  [
    'EXPECTATION',
    'Expectations',
    'expectations',
    'What must hold after all steps. Each takes a `severity` besides: WARN (only counted), QUARANTINE (the row is set aside) or FAIL (the job stops before it loads anything; the default), and a `threshold` of `count` or `percent` with `minRows`.',
  ],
  ['SINK', 'Sinks', 'sink', 'Where the good rows go. Exactly one per pipeline.'],
] as const;

const cell = (text: string): string => text.replaceAll('|', '\\|').replaceAll('\n', ' ');
const code = (text: string): string => (text === '' ? '' : `\`${cell(text)}\``);

/** A value as a GraphQL input literal: like JSON, with bare names. Enum values are told by their spelling. */
function literal(value: unknown, key = ''): string {
  if (Array.isArray(value)) return `[${value.map((item) => literal(item, key)).join(', ')}]`;
  if (typeof value === 'object' && value !== null) {
    return `{ ${Object.entries(value)
      .map(([name, member]) => `${name}: ${literal(member, name)}`)
      .join(', ')} }`;
  }
  return typeof value === 'string' && ENUMS.has(key) && /^[A-Z_]+$/.test(value) ? value : JSON.stringify(value);
}

/** Options that are enums in the schema. */
const ENUMS = new Set(['type', 'operations', 'keep', 'unmapped', 'mode', 'encoding', 'compression']);

function section(connector: Connector, member: string, isList: boolean): string {
  const chosen = { [connector.name]: connector.example };
  const rows = connector.options.map(
    (option) =>
      `| \`${option.name}\` | ${cell(option.type)} | ${option.required ? 'yes' : ''} | ${option.default === null ? '' : code(JSON.stringify(option.default))} | ${cell(option.description ?? '')} |`,
  );
  return [
    `### ${connector.name}`,
    '',
    connector.summary,
    '',
    '| option | type | required | default | meaning |',
    '|---|---|---|---|---|',
    ...rows,
    '',
    '```graphql',
    `${member}: ${isList ? `[${literal(chosen)}]` : literal(chosen)}`,
    '```',
    '',
    '```yaml',
    stringify({ [member]: isList ? [chosen] : chosen }).trimEnd(),
    '```',
    '',
  ].join('\n');
}

/** docs/connectors.md, from the components of the engine. */
export function connectorDocs(): string {
  const connectors = describeConnectors();
  const parts = TITLES.flatMap(([kind, title, member, introduction]) => [
    `## ${title}`,
    '',
    introduction,
    '',
    ...connectors
      .filter((connector) => connector.kind === kind)
      .map((connector) => section(connector, member, member.endsWith('s'))),
  ]);
  return [
    '# Connectors',
    '',
    '<!-- Generated from the components of src/engine by npm run generate. -->',
    '',
    'Everything that a pipeline is made of. The same text answers the `connectors` query. An option that is null counts as not given.',
    'What the engine takes, refuses and does differently from `psql \\copy` is in [limits.md](limits.md).',
    '',
    ...parts,
  ].join('\n');
}
