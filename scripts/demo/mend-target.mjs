// What the agent of the demonstration can mend: a column that the target keeps as a date by now, while the pipeline
// still delivers it as text.

/** How people write dates, as `cast` takes them. The first that every row of a preview fits is taken. */
const DATE_FORMATS = ['%d.%m.%Y', '%m/%d/%Y', '%d %b %Y', '%b %d %Y', '%B %d, %Y'];

const PREVIEW = `query ($input: PreviewEtlInput!) {
  previewEtl(input: $input, rows: 100) { preview { rowsRead rowsQuarantined } userErrors { message } } }`;

/** The columns whose values did not fit, what the target wants there, and the sentence that says so. */
function refusedColumns({ failure }) {
  const found = new Map();
  for (const { column, message } of (failure.details.samples ?? []).flatMap(({ reasons }) => reasons)) {
    const [, type] = /does not fit the type (\S+) of the target\.$/.exec(message) ?? [];
    if (type !== undefined && !found.has(column)) found.set(column, { column, type, message });
  }
  return [...found.values()];
}

/**
 * A patch of the job's spec, tried on a preview against the target as it is now.
 *
 * @param evidence of the escalation
 * @param graphql asks the gateway
 * @returns {Promise<{ found: string, tried: string, patch: object } | null>} null when it is another kind of trouble
 */
export async function mendTarget(evidence, graphql) {
  const refused = refusedColumns(evidence);
  if (refused.length === 0 || refused.some(({ type }) => type !== 'date')) return null;
  const { source, sink, steps, expectations } = evidence.job.spec;
  for (const format of DATE_FORMATS) {
    const cast = { columns: refused.map(({ column }) => ({ name: column, type: 'DATE', format })) };
    const patch = { steps: [...steps, { cast }] };
    const input = { source, sink, expectations, ...patch };
    const { preview } = (await graphql(PREVIEW, { input })).previewEtl;
    if (!preview || preview.rowsRead === 0 || preview.rowsQuarantined > 0) continue;
    const names = refused.map(({ column }) => column).join(', ');
    const tried = `cast ${names} to DATE, format "${format}": of ${preview.rowsRead} rows in a preview all fit`;
    return { found: refused.map(({ column, message }) => `${column}: ${message}`).join(' '), tried, patch };
  }
  return null;
}
