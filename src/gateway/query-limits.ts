import {
  type ASTVisitor,
  type FragmentDefinitionNode,
  GraphQLError,
  Kind,
  type SelectionSetNode,
  type ValidationContext,
} from 'graphql';

/** Bounds on a document, after its fragments are put in. Far above what the console or GraphiQL ask. */
export const QUERY_LIMITS = { tokens: 10_000, depth: 20, aliases: 50, fields: 1_000 } as const;

interface Size {
  readonly depth: number;
  readonly aliases: number;
  readonly fields: number;
}

const NOTHING: Size = { depth: 0, aliases: 0, fields: 0 };

/** Sizes of selections, each fragment measured once, so that fragments in fragments cost nothing to measure. */
class Measure {
  readonly #fragments = new Map<string, Size>();

  constructor(private readonly find: (name: string) => FragmentDefinitionNode | null | undefined) {}

  selectionSet(set: SelectionSetNode | undefined): Size {
    let { depth, aliases, fields } = NOTHING;
    for (const selection of set?.selections ?? []) {
      const isField = selection.kind === Kind.FIELD;
      const inner =
        selection.kind === Kind.FRAGMENT_SPREAD
          ? this.#fragment(selection.name.value)
          : this.selectionSet(selection.selectionSet);
      depth = Math.max(depth, inner.depth + (isField ? 1 : 0));
      aliases += inner.aliases + (isField && selection.alias ? 1 : 0);
      fields += inner.fields + (isField ? 1 : 0);
    }
    return { depth, aliases, fields };
  }

  #fragment(name: string): Size {
    const known = this.#fragments.get(name);
    if (known) return known;
    // Stands for itself while it is being measured: a fragment inside itself is refused by another rule.
    this.#fragments.set(name, NOTHING);
    const size = this.selectionSet(this.find(name)?.selectionSet);
    this.#fragments.set(name, size);
    return size;
  }
}

/** A validation rule that refuses documents beyond QUERY_LIMITS, on HTTP and on sockets alike. */
export function queryLimitsRule(context: ValidationContext): ASTVisitor {
  const measure = new Measure((name) => context.getFragment(name));
  return {
    OperationDefinition(operation) {
      const size = measure.selectionSet(operation.selectionSet);
      for (const what of ['depth', 'aliases', 'fields'] as const) {
        if (size[what] <= QUERY_LIMITS[what]) continue;
        const message = `The operation has ${what} ${size[what]}; at most ${QUERY_LIMITS[what]} are taken.`;
        context.reportError(new GraphQLError(message, { nodes: operation, extensions: { code: 'LIMIT_EXCEEDED' } }));
      }
    },
  };
}
