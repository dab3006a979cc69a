import { registerEnumType } from 'type-graphql';

/** A GraphQL enum whose every value carries its description; the values are their own names. */
export function describedEnum<Value extends string>(
  name: string,
  description: string,
  values: Readonly<Record<Value, string>>,
): { readonly [V in Value]: V } {
  const names = Object.keys(values);
  // Maps each key to itself, which is exactly what the return type says; Object.fromEntries only knows strings.
  const members = Object.fromEntries(names.map((key) => [key, key])) as { [V in Value]: V };
  const described = Object.entries<string>(values).map(([key, text]) => [key, { description: text }]);
  registerEnumType(members, { name, description, valuesConfig: Object.fromEntries(described) });
  return members;
}
