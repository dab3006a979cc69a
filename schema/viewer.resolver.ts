import { Ctx, Field, ObjectType, Query, Resolver } from 'type-graphql';
import type { Caller, GraphqlContext } from './context.js';

@ObjectType('Viewer', { description: 'Who asks.' })
class ViewerType {
  @Field(() => String, { description: 'Name of the token.' })
  name!: string;

  @Field(() => String, { description: 'The tenant whose jobs the token sees.' })
  tenant!: string;
}

@Resolver()
export class ViewerResolver {
  @Query(() => ViewerType, { description: 'Who asks, by the token of the request.' })
  viewer(@Ctx() { caller }: GraphqlContext): Caller {
    return caller;
  }
}
