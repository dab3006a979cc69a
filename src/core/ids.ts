import { v5, v7 } from 'uuid';

/** A new id: UUID version 7 (RFC 9562), so that ids sort by creation time and index well. */
export const newId = (): string => v7();

/** The id that belongs to `name` beside the thing with that id: the same one each time (version 5), for what may be tried twice. */
export const derivedId = (id: string, name: string): string => v5(name, id);

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

/** Whether a caller's string can be an id at all; asking Postgres with anything else is an error there. */
export const isId = (text: string): boolean => UUID.test(text);
