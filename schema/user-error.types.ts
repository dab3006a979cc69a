import { Field, ObjectType } from 'type-graphql';
import { ERROR_CODES, type ErrorCode, SluiceError, UserErrors } from '../src/core/errors.js';
import { describedEnum } from './described-enum.js';

/** Every code of the table, in the order of the table. */
const meanings = Object.fromEntries(Object.entries(ERROR_CODES).map(([code, entry]) => [code, entry.meaning]));

export const ErrorCodeEnum = describedEnum(
  'ErrorCode',
  'Why something was refused or failed; `extensions.code` of GraphQL errors uses the same words.',
  // Built from the table itself, entry by entry, so that its keys are its codes.
  meanings as Record<ErrorCode, string>,
);

@ObjectType('UserError', { description: 'A mistake that the caller can mend.' })
export class UserErrorType {
  @Field(() => ErrorCodeEnum, { description: 'What kind of mistake it is.' })
  code!: ErrorCode;

  @Field(() => String, { description: 'A sentence for people.' })
  message!: string;

  @Field(() => [String], {
    description:
      'Where in the input the mistake is, such as `["steps", "0", "cast"]`; empty when it is no single place.',
  })
  path!: string[];
}

const toUserError = (error: SluiceError): UserErrorType => ({
  code: error.code,
  message: error.message,
  path: (error.path ?? []).map(String),
});

/**
 * Runs a mutation's work and turns the caller's mistakes into `userErrors`; everything else goes on as an error.
 *
 * @param none what the other fields of the answer are when there are mistakes
 */
export async function answering<Answer extends object>(
  none: Answer,
  work: () => Promise<Answer>,
): Promise<Answer & { userErrors: UserErrorType[] }> {
  try {
    return { ...(await work()), userErrors: [] };
  } catch (error) {
    if (error instanceof UserErrors) return { ...none, userErrors: error.errors.map(toUserError) };
    if (error instanceof SluiceError && error.isUserError) return { ...none, userErrors: [toUserError(error)] };
    throw error;
  }
}
