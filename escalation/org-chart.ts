import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import { SluiceError } from '../src/core/errors.js';

const agent = z.object({
  id: z.string().min(1),
  kind: z.enum(['ceo', 'chief', 'domain', 'layer', 'expert', 'operational', 'life-ceo']),
  number: z.int().nullable(),
  name: z.string().min(1),
  /** Ids of the agents above, the first of them the one who is asked first. */
  reportsTo: z.array(z.string()),
  /** The first and the last layer of a chief's division. */
  layers: z.tuple([z.int(), z.int()]).exactOptional(),
  peers: z.array(z.string()).exactOptional(),
  collaborators: z.array(z.string()).exactOptional(),
});

export type Agent = Readonly<z.infer<typeof agent>>;

export interface OrgChart {
  readonly agents: readonly Agent[];
  agent(id: string): Agent | undefined;
}

const chart = z.object({ agents: z.array(agent) });

/** Beside this file: in the sources and, copied by the build, in dist/. */
const OURS = fileURLToPath(new URL('./esa-org-chart.json', import.meta.url));

/** Who acts in the log beside agents; an agent of that name could act past its limits. */
const OURS_ALONE: readonly string[] = ['engine', 'job', 'monitor', 'person', 'deliverer'];

type Refuse = (message: string) => SluiceError;

const refusing =
  (what: string): Refuse =>
  (message) =>
    new SluiceError('CONFIG_INVALID', `${what} cannot be used: ${message}`);

/** @throws SluiceError CONFIG_INVALID naming the file, or the place in it */
export async function loadOrgChart(file = OURS): Promise<OrgChart> {
  const refuse = refusing(`The org chart ${file}`);
  const text = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    throw refuse(error.code === 'ENOENT' ? 'there is no such file.' : `${error.message}.`);
  });
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (error) {
    throw refuse(`it is no JSON. ${error instanceof Error ? error.message : error}.`);
  }
  return parseOrgChart(json, refuse);
}

/**
 * A chart in which everybody's way up leads to the one CEO.
 * @throws SluiceError CONFIG_INVALID naming the agent: an id that stands twice, for nobody or for a part of Sluice, a
 *   cycle, no CEO or several
 */
export function parseOrgChart(json: unknown, refuse = refusing('The org chart')): OrgChart {
  const parsed = chart.safeParse(json);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    throw refuse(`${issue?.message ?? 'it is not valid'} at ${issue?.path.join('.') || 'the top'}.`);
  }
  const { agents } = parsed.data;
  const byId = new Map<string, Agent>();
  for (const one of agents) {
    if (byId.has(one.id)) throw refuse(`${one.id} stands twice.`);
    if (OURS_ALONE.includes(one.id)) throw refuse(`${one.id} cannot be an agent: the log calls a part of Sluice so.`);
    byId.set(one.id, one);
  }
  const [ceo, ...others] = agents.filter(({ kind }) => kind === 'ceo');
  if (!ceo) throw refuse('there is no CEO.');
  if (others.length > 0) throw refuse(`there are several CEOs: ${[ceo, ...others].map(({ id }) => id).join(', ')}.`);
  for (const one of agents) refuseDangling(one, byId, refuse);
  refuseCycles(agents, byId, refuse);
  return { agents, agent: (id) => byId.get(id) };
}

function refuseDangling(one: Agent, byId: ReadonlyMap<string, Agent>, refuse: Refuse): void {
  if (one.kind !== 'ceo' && one.reportsTo.length === 0) throw refuse(`${one.id} reports to nobody.`);
  for (const relation of ['reportsTo', 'peers', 'collaborators'] as const) {
    const missing = one[relation]?.find((id) => !byId.has(id));
    if (missing !== undefined) throw refuse(`${relation} of ${one.id} names ${missing}, who does not exist.`);
  }
}

/** Walks up from everybody; an agent that is met again on one way up is in a cycle. */
function refuseCycles(agents: readonly Agent[], byId: ReadonlyMap<string, Agent>, refuse: Refuse): void {
  const sound = new Set<string>();
  const climb = (one: Agent, way: readonly string[]): void => {
    if (sound.has(one.id)) return;
    if (way.includes(one.id)) throw refuse(`a cycle: ${[...way.slice(way.indexOf(one.id)), one.id].join(' -> ')}.`);
    for (const id of one.reportsTo) {
      const above = byId.get(id);
      if (above) climb(above, [...way, one.id]);
    }
    sound.add(one.id);
  };
  for (const one of agents) climb(one, []);
}
