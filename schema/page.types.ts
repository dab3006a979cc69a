import { Field, Int, ObjectType } from 'type-graphql';
import { SluiceError } from '../src/core/errors.js';
import type { Page, PageRequest } from '../src/jobs/ports.js';

@ObjectType('PageInfo', { description: 'Where a page of a list stands.' })
export class PageInfoType {
  @Field(() => Boolean, { description: 'Whether there is more after `endCursor`.' })
  hasNextPage!: boolean;

  @Field(() => Boolean, { description: 'Whether the page was asked for with `after`.' })
  hasPreviousPage!: boolean;

  @Field(() => String, { nullable: true, description: 'Cursor of the first item; null on an empty page.' })
  startCursor!: string | null;

  @Field(() => String, {
    nullable: true,
    description: 'Cursor of the last item; pass it as `after` for the next page.',
  })
  endCursor!: string | null;
}

/** The fields that every connection shares; subclasses add `edges`. */
@ObjectType()
export class ConnectionType {
  @Field(() => PageInfoType, { description: 'Where this page stands in the list.' })
  pageInfo!: PageInfoType;

  @Field(() => Int, { description: 'Items in the whole list, on all pages.' })
  totalCount!: number;
}

const MAX_FIRST = 100;

/** @throws SluiceError INVALID_INPUT when `first` is not 1 to 100 */
export function pageRequest(first: number, after: string | null | undefined): PageRequest {
  if (first < 1 || first > MAX_FIRST)
    throw new SluiceError('INVALID_INPUT', `\`first\` must be 1 to ${MAX_FIRST}.`, { path: ['first'] });
  return { first, after: after ?? null };
}

/** A page as the Relay connection that answers it. */
export function connectionOf<Node>(page: Page<Node>, request: PageRequest) {
  return {
    edges: page.items,
    pageInfo: {
      hasNextPage: page.hasNextPage,
      hasPreviousPage: request.after !== null,
      startCursor: page.items.at(0)?.cursor ?? null,
      endCursor: page.items.at(-1)?.cursor ?? null,
    },
    totalCount: page.totalCount,
  };
}
