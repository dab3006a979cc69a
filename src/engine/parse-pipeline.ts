import { z } from 'zod';
import { type InputPath, SluiceError, UserErrors } from '../core/errors.js';
import { type Component, userErrorsOf } from './component.js';
import { EscalationOptions } from './escalation-options.js';
import { SEVERITIES, type Severity } from './evaluate/outcome.js';
import type { ExpectationBinding } from './expectations/expectation.js';
import { ON_FAILURE, type Pipeline, type PipelineJson } from './pipeline.js';
import { EXPECTATIONS, INTERNAL_SOURCES, SINKS, SOURCES, STEPS } from './registry.js';
import type { SourceBinding } from './sources/source.js';
import type { StepBinding } from './transforms/step.js';

const Count = z.int().min(0);
const Percent = z.number().min(0).max(100);

const Options = z.strictObject({
  chunkRows: z.int().min(1).max(10_000_000).default(100_000),
  errorBudget: z
    .strictObject({
      count: Count.nullable().default(null),
      percent: Percent.nullable().default(null),
      minRows: Count.default(1_000),
    })
    .optional(),
  maxAttempts: z.int().min(1).max(100).default(5),
  timeoutMs: z.int().min(1).nullable().default(null),
  chunkTimeoutMs: z.int().min(1).max(2_147_483_647).default(600_000),
  onFailure: z.enum(ON_FAILURE).default('ESCALATE'),
  // Without a default, so that a launch of before it was there is still the same launch under its idempotency key.
  escalation: EscalationOptions.exactOptional(),
});

/** What a job may have of bad rows when it does not say. */
const DEFAULT_BUDGET = { count: null, percent: 10, minRows: 1_000 } as const;

const Threshold = z.strictObject({
  count: Count.nullable().default(null).describe('Most violations.'),
  percent: Percent.nullable().default(null).describe('Most violations in percent of the judged rows.'),
  minRows: Count.default(0).describe('Rows that must have been judged before `percent` counts.'),
});

const ExpectationRule = z.object({
  severity: z.enum(SEVERITIES).default('FAIL'),
  threshold: Threshold.optional(),
});

const MAX_STEPS = 200;
const MAX_EXPECTATIONS = 200;

const Shape = z.object({
  source: z.record(z.string(), z.unknown()),
  steps: z.array(z.record(z.string(), z.unknown())).max(MAX_STEPS, `At most ${MAX_STEPS} steps.`).default([]),
  expectations: z
    .array(z.record(z.string(), z.unknown()))
    .max(MAX_EXPECTATIONS, `At most ${MAX_EXPECTATIONS} expectations.`)
    .default([]),
  sink: z.record(z.string(), z.unknown()),
  options: z.unknown().optional(),
});

/** How many violations an expectation may have; null: no limit of its own. */
export interface Threshold {
  readonly count: number | null;
  readonly percent: number | null;
  readonly minRows: number;
}

export interface BoundStep {
  readonly name: string;
  readonly step: StepBinding;
}

export interface BoundExpectation {
  readonly name: string;
  readonly expectation: ExpectationBinding;
  readonly severity: Severity;
  readonly threshold: Threshold;
}

/** A pipeline with its components bound; what the engine works on. */
export interface BoundPipeline extends Pipeline {
  readonly source: SourceBinding;
  readonly steps: readonly BoundStep[];
  readonly expectations: readonly BoundExpectation[];
}

/**
 * The one place where a spec stops being untrusted. Finds every mistake of shape at once.
 * `null` counts as not given, so that GraphQL variables and stored JSON read alike.
 * @throws UserErrors with paths in the input
 */
export function parsePipeline(input: unknown): BoundPipeline {
  const shape = Shape.safeParse(withoutNulls(input));
  if (!shape.success) throw userErrorsOf(shape.error, []);
  const { data } = shape;
  const errors: SluiceError[] = [];
  const attempt = <T>(parse: () => T): T | undefined => {
    try {
      return parse();
    } catch (error) {
      if (!(error instanceof UserErrors)) throw error;
      errors.push(...error.errors);
      return undefined;
    }
  };
  const source = attempt(() => parseMember(SOURCES, data.source, ['source'], INTERNAL_SOURCES));
  const steps = data.steps.map((step, i) => attempt(() => parseMember(STEPS, step, ['steps', i])));
  const expectations = data.expectations.map((e, i) => attempt(() => parseExpectation(e, ['expectations', i])));
  const sink = attempt(() => parseMember(SINKS, data.sink, ['sink']));
  const options = attempt(() => parseOptions(data.options));
  const [first, ...rest] = errors;
  if (first !== undefined) throw new UserErrors([first, ...rest]);
  if (source === undefined || sink === undefined || options === undefined)
    throw new Error('A parser answered nothing.');
  const boundSteps = steps.filter((step) => step !== undefined);
  const boundExpectations = expectations.filter((expectation) => expectation !== undefined);
  const json: PipelineJson = {
    source: source.json,
    steps: boundSteps.map((step) => step.json),
    expectations: boundExpectations.map((expectation) => expectation.json),
    sink: sink.json,
    options,
  };
  return {
    json,
    source: source.binding,
    sourceUris: source.binding.uris,
    steps: boundSteps.map(({ name, binding }) => ({ name, step: binding })),
    expectations: boundExpectations,
    sink: sink.binding,
    options,
  };
}

/** Only the source, for `inferSchema`. @throws UserErrors */
export function parseSource(input: unknown): SourceBinding {
  const shape = z.record(z.string(), z.unknown()).safeParse(withoutNulls(input));
  if (!shape.success) throw userErrorsOf(shape.error, ['source']);
  return parseMember(SOURCES, shape.data, ['source']).binding;
}

interface Member<Binding> {
  readonly name: string;
  readonly binding: Binding;
  readonly json: Readonly<Record<string, unknown>>;
}

function parseMember<B>(
  components: readonly Component<B>[],
  input: Readonly<Record<string, unknown>>,
  path: InputPath,
  unlisted: readonly Component<B>[] = [],
): Member<B> {
  const names = Object.keys(input);
  const [name] = names;
  const component = [...components, ...unlisted].find((candidate) => candidate.name === name);
  if (names.length !== 1 || name === undefined || component === undefined) {
    const known = components.map((candidate) => candidate.name).join(', ');
    const given = names.length === 0 ? 'none is' : `${names.join(', ')} ${names.length === 1 ? 'is' : 'are'}`;
    throw new UserErrors([
      new SluiceError('EXACTLY_ONE_MEMBER', `Set exactly one of ${known}; ${given} set.`, { path }),
    ]);
  }
  const { binding, options } = component.parse(input[name], [...path, name]);
  return { name, binding, json: { [name]: options } };
}

function parseExpectation(
  input: Readonly<Record<string, unknown>>,
  path: InputPath,
): BoundExpectation & { json: Member<unknown>['json'] } {
  const { severity, threshold, ...member } = input;
  const rule = ExpectationRule.safeParse({ severity, threshold });
  if (!rule.success) throw userErrorsOf(rule.error, path);
  const { name, binding, json } = parseMember(EXPECTATIONS, member, path);
  if (binding.scope === 'ROW_COUNT' && rule.data.severity === 'QUARANTINE') {
    throw new UserErrors([
      new SluiceError('INVALID_INPUT', 'A row count sets no rows aside; use WARN or FAIL.', {
        path: [...path, 'severity'],
      }),
    ]);
  }
  // Without a threshold WARN and QUARANTINE tolerate any number, FAIL tolerates none.
  const fallback = { count: rule.data.severity === 'FAIL' ? 0 : null, percent: null, minRows: 0 };
  return {
    name,
    expectation: binding,
    severity: rule.data.severity,
    threshold: rule.data.threshold ?? fallback,
    json: { ...json, ...rule.data },
  };
}

function parseOptions(input: unknown): Pipeline['options'] {
  const parsed = Options.safeParse(input ?? {});
  if (!parsed.success) throw userErrorsOf(parsed.error, ['options']);
  const { errorBudget, ...rest } = parsed.data;
  return { ...rest, errorBudget: errorBudget ?? DEFAULT_BUDGET };
}

/** Null members of inputs are the same as missing ones; data inside `rows` and `value` keeps its nulls. */
function withoutNulls(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutNulls);
  if (typeof value !== 'object' || value === null) return value;
  const kept = Object.entries(value).filter(([, member]) => member !== null && member !== undefined);
  return Object.fromEntries(kept.map(([key, member]) => [key, key === 'rows' ? member : withoutNulls(member)]));
}
