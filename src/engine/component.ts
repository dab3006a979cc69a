import type { z } from 'zod';
import { type InputPath, SluiceError, UserErrors } from '../core/errors.js';

export type ComponentKind = 'source' | 'step' | 'expectation' | 'sink';

/** What a component file says about itself; docs, the `connectors` query and the validation are made from it. */
export interface ComponentDefinition<Options, Binding> {
  /** The member of the GraphQL input that selects it, e.g. `csv`. */
  readonly name: string;
  readonly kind: ComponentKind;
  /** One sentence for people. */
  readonly summary: string;
  /** Every option with `.describe()`; strict, so that a misspelt option is a user error with its path. */
  readonly options: z.ZodType<Options>;
  /** Options of a working example; docs show it and a test parses it. */
  readonly example: Readonly<Record<string, unknown>>;
  /** Makes the thing that works from parsed options. May throw SluiceError with a path inside the options. */
  bind(options: Options): Binding;
}

/** A component with its option type closed over, so that lists of them need no `any`. */
export interface Component<Binding> {
  readonly name: string;
  readonly kind: ComponentKind;
  readonly summary: string;
  readonly options: z.ZodType;
  readonly example: Readonly<Record<string, unknown>>;
  /**
   * @throws UserErrors with paths below `path`
   * @returns the binding and the options with their defaults, as JSON to store
   */
  parse(input: unknown, path: InputPath): { binding: Binding; options: unknown };
}

export function defineComponent<Options, Binding>(
  definition: ComponentDefinition<Options, Binding>,
): Component<Binding> {
  const { name, kind, summary, options, example } = definition;
  return {
    name,
    kind,
    summary,
    options,
    example,
    parse(input, path) {
      const parsed = options.safeParse(input);
      if (!parsed.success) throw userErrorsOf(parsed.error, path);
      try {
        return { binding: definition.bind(parsed.data), options: parsed.data };
      } catch (error) {
        if (error instanceof SluiceError) throw new UserErrors([error.under(...path)]);
        throw error;
      }
    },
  };
}

/** zod's issues as user errors, each with its path. */
export function userErrorsOf(error: z.ZodError, path: InputPath): UserErrors {
  const [first, ...rest] = error.issues.map((issue) => {
    const at = [...path, ...issue.path.map((part) => (typeof part === 'symbol' ? String(part) : part))];
    return new SluiceError('INVALID_INPUT', issue.message, { path: at });
  });
  return new UserErrors([first ?? new SluiceError('INVALID_INPUT', 'The input is not valid.', { path }), ...rest]);
}
