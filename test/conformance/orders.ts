import type { CAST_TYPES } from '../../src/engine/transforms/cast.js';

/**
 * The data set that the examples of all steps and expectations work on. A new component writes its example over
 * these columns, and every conformance test covers it.
 */
const ORDERS: readonly (readonly [name: string, type: keyof typeof CAST_TYPES, values: readonly string[]])[] = [
  ['id', 'BIGINT', ['1', '2', '3']],
  ['name', 'TEXT', ['Ada', 'Grace', '']],
  ['country', 'TEXT', ['DE', 'FR', '']],
  ['quantity', 'INTEGER', ['3', '2', '1']],
  ['unit_price', 'DECIMAL', ['1.50', '2.25', '10']],
  ['total', 'DECIMAL', ['4.50', '4.50', '10']],
  ['status', 'TEXT', ['p', 'n', 'p']],
  ['customer_email', 'TEXT', [' A@b.de', 'c@d.fr', 'e@f.com']],
  ['internal_note', 'TEXT', ['x', '', 'z']],
  ['created_at', 'TIMESTAMP', ['2026-01-01', '2026-01-02', '2026-01-03']],
  ['updated_at', 'TIMESTAMP', ['2026-02-01', '2026-02-02', '']],
  ['shipped_at', 'TIMESTAMP', ['2026-03-01', '', '2026-03-03']],
];

export const ORDER_COLUMNS = ORDERS.map(([name]) => name);

const quoted = (text: string): string => `"${text.replaceAll('"', '""')}"`;

/** The orders as CSV under other names, and the cast step that gives the columns their types. */
export function ordersFile(nameOf: (column: string) => string = (name) => name, rows = 3) {
  const lines = [
    ORDERS.map(([name]) => quoted(nameOf(name))),
    ...Array.from({ length: rows }, (_, i) => ORDERS.map(([, , values]) => values[i % values.length] ?? '')),
  ];
  const cast = {
    columns: ORDERS.filter(([, type]) => type !== 'TEXT').map(([name, type]) => ({ name: nameOf(name), type })),
  };
  return { csv: lines.map((line) => `${line.join(',')}\n`).join(''), cast };
}

/**
 * The options with columns renamed: a text that is the name of a column becomes the new name, and inside SQL a
 * word that is one becomes the quoted new name.
 */
export function renameColumns(options: unknown, nameOf: (column: string) => string): unknown {
  if (Array.isArray(options)) return options.map((item) => renameColumns(item, nameOf));
  if (typeof options === 'object' && options !== null) {
    return Object.fromEntries(Object.entries(options).map(([key, value]) => [key, renameColumns(value, nameOf)]));
  }
  if (typeof options !== 'string') return options;
  if (ORDER_COLUMNS.includes(options)) return nameOf(options);
  const words = options.split(/\b/);
  const isSql = options.includes(' ') && words.some((word) => ORDER_COLUMNS.includes(word));
  return isSql ? words.map((word) => (ORDER_COLUMNS.includes(word) ? quoted(nameOf(word)) : word)).join('') : options;
}

/** Every way to make one mention of a column in the options unknown. */
export function unknownColumns(options: unknown, unknown: string): readonly unknown[] {
  const mentions: unknown[] = [];
  for (const column of ORDER_COLUMNS) {
    const changed = renameColumns(options, (name) => (name === column ? unknown : name));
    if (JSON.stringify(changed) !== JSON.stringify(renameColumns(options, (name) => name))) mentions.push(changed);
  }
  return mentions;
}

const RESERVED =
  'select order from where group table user end case null values input raw file rn v doc line x limit'.split(' ');

/** Ways to name a column that a careless engine stumbles over. */
const ODD_NAMES: readonly ((column: string) => string)[] = [
  (name) => `a "quoted" ${name}"`,
  (name) => `it's '${name}'`,
  (name) => `größe 😀 ${name}`,
  (name) => ` ${name} `,
  (name) => RESERVED[ORDER_COLUMNS.indexOf(name)] ?? name,
  (name) => name.toUpperCase(),
  (name) => name.padEnd(60, '_'),
  (name) => `${name}); DROP TABLE input; --`,
  (name) => `$.${name}[0]\\"\\u0041`,
  (name) => `${name}\n\tsecond line`,
  (name) => `${ORDER_COLUMNS.indexOf(name) + 1}`,
];

/** Each column gets one of them; over all namings every column that an example mentions has had several. */
export const NAMINGS: readonly (readonly [string, (column: string) => string])[] = [0, 2, 5].map((turn) => [
  `oddly (${turn})`,
  (name) => ODD_NAMES[(ORDER_COLUMNS.indexOf(name) + turn) % ODD_NAMES.length]?.(name) ?? name,
]);

/** All at once reserved: nothing of the engine's own SQL may be taken for a column. */
export const RESERVED_NAMING = (name: string): string => RESERVED[ORDER_COLUMNS.indexOf(name)] ?? name;
